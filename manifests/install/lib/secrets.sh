# shellcheck shell=bash
# Passwords and certificates, made once and kept. They are written to files that only root reads, never to arguments
# or the log.

# The days before its end at which a certificate is made anew.
RENEW_DAYS=60

secrets_apply() {
  wanted secrets || return 0
  step step-secrets
  namespaces_apply
  if plan_has_charts; then
    certificates_apply
    logins_apply
  fi
  channels_apply
}

namespaces_apply() {
  local name at
  {
    printf '%s\n' "$NAMESPACE"
    for name in $(plan_components); do
      for at in $(plan_releases "$name"); do
        release_namespace "$at"
      done
    done
  } | LC_ALL=C sort -u >"$WORK/namespaces"
  while read -r name; do
    if ! exists get namespace "$name"; then
      cat >"$WORK/namespace.yaml" <<EOF
apiVersion: v1
kind: Namespace
metadata:
  name: $name
  labels: {app.kubernetes.io/managed-by: observability-installer}
EOF
      apply "$WORK/namespace.yaml" || die apply-failed "namespace $name"
    fi
  done <"$WORK/namespaces"
}

# SECRET KEY: the value in base64, empty where there is none.
secret_get() {
  kubectl_ask -n "$NAMESPACE" get secret "$1" --ignore-not-found -o "jsonpath={.data.${2//./\\.}}"
}

random_password() {
  local text
  text=$(head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9')
  printf '%s' "${text:0:32}"
}

# SECRET KEY: the password that is there, else a new one.
password() {
  local value
  value=$(secret_get "$1" "$2")
  if [ -n "$value" ]; then
    printf '%s' "$value" | base64 -d
  else
    random_password
  fi
}

certificates_apply() {
  local names end limit part
  # A certificate that somebody else put there is the site's own; its CA is for them to give, too.
  if exists -n "$NAMESPACE" get secret observability-tls &&
    [ -z "$(kubectl_ask -n "$NAMESPACE" get secret observability-tls -o 'jsonpath={.metadata.annotations.observability/names}')" ]; then
    exists -n "$NAMESPACE" get configmap observability-ca || die certificate-ca
    say certificate-own
    return 0
  fi
  names=$(certificate_names)
  end=$(kubectl_ask -n "$NAMESPACE" get secret observability-tls --ignore-not-found -o 'jsonpath={.metadata.annotations.observability/not-after}')
  limit=$(date -u -d "+$RENEW_DAYS days" +%Y-%m-%d)
  if [ "$(kubectl_ask -n "$NAMESPACE" get secret observability-tls --ignore-not-found -o 'jsonpath={.metadata.annotations.observability/names}')" = "$names" ] &&
    [[ $end > $limit ]]; then
    say certificate-kept "$end"
    return 0
  fi
  {
    printf 'host: "%s"\nnamespace: "%s"\n' "$SITE_HOST" "$NAMESPACE"
    printf 'ca: {certificate: "%s", key: "%s"}\n' "$(secret_get observability-ca-key tls.crt)" "$(secret_get observability-ca-key tls.key)"
    printf 'addresses: ['
    for part in ${names//,/ }; do
      ! is_ipv4 "$part" || printf '"%s", ' "$part"
    done
    printf ']\nnames: ['
    for part in ${names//,/ }; do
      is_ipv4 "$part" || printf '"%s", ' "$part"
    done
    printf ']\n'
  } >"$WORK/certificates-values.yaml"
  "$HELM" template certificates "$HERE/lib/certificates" --values "$WORK/certificates-values.yaml" >"$WORK/certificates.yaml" ||
    die render-failed certificates
  say certificate-made "$names"
  apply_secret "$WORK/certificates.yaml"
}

# In the order in which the certificate's annotation has them: the host, addresses, names.
certificate_names() {
  local part addresses='' names=''
  for part in $SITE_HOST ${SITE_ALT_NAMES//,/ } $SITE_CLOUD_ADDRESS; do
    if is_ipv4 "$part"; then
      [[ ,$addresses, == *",$part,"* ]] || addresses+=${addresses:+,}$part
    else
      [[ ,$names, == *",$part,"* ]] || names+=${names:+,}$part
    fi
  done
  printf '%s' "$SITE_HOST"
  for part in ${addresses//,/ } ${names//,/ }; do
    [ "$part" = "$SITE_HOST" ] || printf ',%s' "$part"
  done
}

# FILE: applies it; what it holds is shown to nobody.
apply_secret() {
  if [ "$DRY_RUN" = yes ]; then
    # Values are left out; names and keys tell what would be made.
    "$YQ" '(select(.kind == "Secret") | .data[]) = "***" | (select(.kind == "Secret") | .stringData[]) = "***"' "$1"
  fi
  run "${KUBECTL[@]}" apply --server-side --force-conflicts --field-manager=observability-installer -f "$1" ||
    die apply-failed "${1##*/}"
}

# NAME TYPE KEY VALUE…: a Secret from texts, which are quoted as JSON.
secret_yaml() {
  local name=$1 type=$2
  shift 2
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\ntype: %s\nstringData:\n' "$name" "$NAMESPACE" "$type"
  while [ $# -gt 0 ]; do
    printf '  %s: %s\n' "$1" "$(json_text "$2")"
    shift 2
  done
}

# TEXT as a quoted YAML scalar, line breaks kept.
json_text() {
  VALUE=$1 "$YQ" -n -o=json -I=0 'strenv(VALUE)'
}

# Grafana's administrator, and one login for each way in.
logins_apply() {
  local push api admin grafana ca
  push=$(password basic-auth-push password)
  api=$(password observability-logins api)
  admin=$(password observability-logins admin)
  grafana=$(password grafana-admin admin-password)
  secret "$push"
  secret "$api"
  secret "$admin"
  secret "$grafana"
  ca=$(kubectl_ask -n "$NAMESPACE" get configmap observability-ca --ignore-not-found -o 'jsonpath={.data.ca\.crt}')
  {
    secret_yaml basic-auth-push kubernetes.io/basic-auth username edge password "$push"
    secret_yaml observability-logins Opaque admin "$admin" api "$api"
    secret_yaml observability-users Opaque users "$(htpasswd_line admin "$admin")"$'\n'"$(htpasswd_line api "$api")"
    secret_yaml grafana-admin Opaque admin-user admin admin-password "$grafana"
    secret_yaml edge-push Opaque host "$SITE_HOST" port 443 user edge password "$push" cloud "$SITE_CLOUD_ADDRESS" ca.crt "$ca"
  } >"$WORK/logins.yaml"
  apply_secret "$WORK/logins.yaml"
}

# USER PASSWORD: a line as Traefik reads it. The passwords are random and long, so that an unsalted hash gives nothing
# away, and equal passwords give equal lines.
htpasswd_line() {
  local hash
  hash=$(printf '%s' "$2" | sha1sum | sed 's/ .*//; s/../\\x&/g')
  printf '%s:{SHA}%s' "$1" "$(printf '%b' "$hash" | base64)"
}

# Each file of /etc/observability/secrets is a key of one Secret: tokens of chat robots, the password of a mail relay.
channels_apply() {
  local file mode arguments=() directory=$INSTALL_ROOT/etc/observability/secrets
  for file in "$directory"/*; do
    [ -f "$file" ] || continue
    mode=$(stat -c %a -- "$file")
    [[ $mode == *00 ]] || die secret-open "$file" "$mode"
    arguments+=("--from-file=${file##*/}=$file")
  done
  for file in dingtalk:$SITE_ALERT_DINGTALK feishu:$SITE_ALERT_FEISHU wecom:$SITE_ALERT_WECOM webhook:$SITE_ALERT_WEBHOOK; do
    if [ "${file#*:}" != no ]; then
      # A small board sends to one channel, the first that is on.
      arguments+=("--from-literal=channel=${file%:*}")
      break
    fi
  done
  # The bridge to signed robots reads its proxy beside their addresses.
  [ -z "$SITE_ALERT_PROXY" ] || arguments+=("--from-literal=proxy=$SITE_ALERT_PROXY")
  if [ "$DRY_RUN" = yes ]; then
    printf '+ kubectl create secret generic alert-channels %s\n' "$(quoted "${arguments[@]}")"
    return 0
  fi
  kubectl_ask -n "$NAMESPACE" create secret generic alert-channels "${arguments[@]}" --dry-run=client -o yaml \
    >"$WORK/channels.yaml" || die apply-failed alert-channels
  # An object without a field of its own would be written twice before it stays as it is.
  "$YQ" -i '.type = "Opaque"' "$WORK/channels.yaml"
  apply_secret "$WORK/channels.yaml"
}
