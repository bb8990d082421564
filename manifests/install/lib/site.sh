# shellcheck shell=bash
# The site's settings: read line by line, never run, and every value checked before it is used anywhere.

# KEY, what it must look like, and the default.
SITE_KEYS='
HOST address -
ALT_NAMES addresses -
CLOUD_ADDRESS address -
SITE_NAME name -
TIMEZONE zone -
WITH names -
WITHOUT names -
STORAGE_CLASS name -
PROMETHEUS_RETENTION duration -
PROMETHEUS_RETENTION_SIZE bytes -
PROMETHEUS_SIZE quantity -
ALERTMANAGER_SIZE quantity -
GRAFANA_SIZE quantity -
LOKI_RETENTION duration -
LOKI_SIZE quantity -
JAEGER_SIZE quantity -
JAEGER_RETENTION duration -
TRACE_SAMPLING percent -
ALERT_PROXY url -
ALERT_EMAIL_TO emails -
ALERT_EMAIL_FROM emails -
ALERT_EMAIL_SMARTHOST listen -
ALERT_EMAIL_USERNAME text -
ALERT_EMAIL_TLS one:yes|no yes
ALERT_DINGTALK one:yes|no|signed no
ALERT_FEISHU one:yes|no no
ALERT_WECOM one:yes|no no
ALERT_WEBHOOK one:yes|no no
ALERT_HEARTBEAT one:yes|no no
METRICS_SERVER one:auto|patch|chart|none auto
METRICS_SERVER_REPLICAS count 1
METRICS_SERVER_RESOLUTION duration 15s
IPTABLES one:auto|legacy|nft auto
CLOUDCORE_METRICS bind 0.0.0.0:9091
EDGE_BUFFER_LOGS buffer -
EDGE_BUFFER_METRICS buffer -
EDGE_BUFFER_TRACES buffer -
EDGE_INTERVAL count -
EDGE_NODE_NAME name -
EDGE_CLUSTER_DNS dns 169.254.96.16
EDGE_LOG_SIZE quantity 10Mi
EDGE_LOG_FILES several 5
EDGE_CGROUP_DRIVER one:cgroupfs|systemd systemd
SIGNERS path -
SIGNER text -
'

# Every setting is the variable SITE_KEY, empty where nothing is said.
site_load() {
  local key kind default file=$SITE_FILE line number=0 problems=0 value
  while read -r key kind default; do
    [ -z "$key" ] || printf -v "SITE_$key" '%s' "${default#-}"
  done <<<"$SITE_KEYS"
  if [ -z "$file" ]; then
    file=$INSTALL_ROOT/etc/observability/site.env
    [ -e "$file" ] || file=$HERE/site.env
  fi
  [ -r "$file" ] || die file-unreadable "$file"
  SITE_FILE=$file
  # shellcheck disable=SC2094 # `complain` names the file and does not touch it
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
    key=${line%%=*} value=${line#*=}
    kind=$(site_kind "$key")
    if [[ $line != *=* ]] || [ -z "$kind" ]; then
      complain site-key "$file" "$number" "$key"
      problems=$((problems + 1))
    elif [ -n "$value" ] && ! site_fits "$kind" "$value"; then
      complain site-value "$file" "$number" "$key" "$value" "$(text "kind-${kind%%:*}" "${kind#*:}")"
      problems=$((problems + 1))
    elif [ -n "$value" ]; then
      printf -v "SITE_$key" '%s' "$value"
    fi
  done <"$file"
  [ "$problems" -eq 0 ] || exit 2
  site_channels
  [ -z "$SITE_WITHOUT" ] || SKIP=${SKIP:+$SKIP,}$SITE_WITHOUT
}

# A channel needs the file with its secret: a switch without it would be silence that nobody notices.
site_channels() {
  local channel file directory=$INSTALL_ROOT/etc/observability/secrets
  for channel in dingtalk:$SITE_ALERT_DINGTALK feishu:$SITE_ALERT_FEISHU wecom:$SITE_ALERT_WECOM webhook:$SITE_ALERT_WEBHOOK heartbeat:$SITE_ALERT_HEARTBEAT; do
    [ "${channel#*:}" != no ] || continue
    [ "$COMMAND" != cloud ] || [ -r "$directory/${channel%:*}-url" ] || die channel-secret "${channel%:*}" "$directory/${channel%:*}-url"
    # A robot that wants a signature needs the bridge, since Alertmanager signs nothing.
    [ "${channel#*:}" != signed ] || SITE_WITH=${SITE_WITH:+$SITE_WITH,}prometheus-alert
  done
  if [ -n "$SITE_ALERT_EMAIL_TO" ] && [ -z "$SITE_ALERT_EMAIL_SMARTHOST" ]; then
    die channel-email
  fi
  if [ "$COMMAND" = cloud ] && [ -n "$SITE_ALERT_EMAIL_USERNAME" ] && [ ! -r "$directory/smtp-password" ]; then
    die channel-secret email "$directory/smtp-password"
  fi
}

site_kind() {
  local key kind rest
  while read -r key kind rest; do
    [ -z "$key" ] || [ "$key" != "$1" ] || printf '%s' "$kind"
  done <<<"$SITE_KEYS"
}

# KIND VALUE
site_fits() {
  local part
  case $1 in
    address) is_address "$2" ;;
    addresses)
      for part in ${2//,/ }; do
        is_address "$part" || return 1
      done
      ;;
    listen) is_address "${2%:*}" && is_port "${2##*:}" ;;
    bind) is_ipv4 "${2%:*}" && is_port "${2##*:}" ;;
    dns) [ "$2" = none ] || is_ipv4 "$2" ;;
    url) [[ $2 =~ ^https?://[A-Za-z0-9.:_-]+/?$ ]] ;;
    names) [[ $2 =~ ^[a-z0-9][a-z0-9,-]*$ ]] ;;
    emails) [[ $2 =~ ^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+(,[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+)*$ ]] ;;
    zone) [[ $2 =~ ^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$ ]] ;;
    name) [[ $2 =~ ^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$ ]] ;;
    duration) [[ $2 =~ ^[1-9][0-9]*(s|m|h|d|w|y)$ ]] ;;
    quantity) [[ $2 =~ ^[1-9][0-9]*(Ki|Mi|Gi|Ti)$ ]] ;;
    bytes) [[ $2 =~ ^[1-9][0-9]*(MB|GB|TB|MiB|GiB|TiB)$ ]] ;;
    buffer) [[ $2 =~ ^[1-9][0-9]*[MG]$ ]] ;;
    percent) [[ $2 =~ ^(100|[0-9]{1,2}(\.[0-9]+)?)$ ]] ;;
    count) [[ $2 =~ ^[1-9][0-9]{0,2}$ ]] ;;
    # A kubelet with one file does not start.
    several) [[ $2 =~ ^[1-9][0-9]{0,2}$ ]] && [ "$2" -ge 2 ] ;;
    path) [[ $2 == /* ]] ;;
    text) [[ $2 =~ ^[A-Za-z0-9@._+-]+$ ]] ;;
    one:*) [[ "|${1#one:}|" == *"|$2|"* ]] ;;
  esac
}

is_port() {
  [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] && [ "$1" -le 65535 ]
}

is_ipv4() {
  local part
  [[ $1 =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]] || return 1
  for part in ${1//./ }; do
    [ "$((10#$part))" -le 255 ] || return 1
  done
}

# An IPv4 address, or a host name, whose last part is no number.
is_address() {
  is_ipv4 "$1" || { [[ $1 =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$ ]] && [[ ! $1 =~ (^|\.)[0-9]+$ ]]; }
}
