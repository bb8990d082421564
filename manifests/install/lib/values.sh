# shellcheck shell=bash
# The site's settings as Helm values, one file a component, and the component's own files in the site's namespace.

# COMPONENT PATH VALUE [yaml]: puts one value into the component's file, as a text unless it is said to be YAML.
value_set() {
  local file=$WORK/site/$1.yaml
  [ -n "$3" ] || return 0
  [ -e "$file" ] || printf '{}\n' >"$file"
  VALUE=$3 "$YQ" -i "$2 = (strenv(VALUE)${4:+ | from_yaml})" "$file"
}

values_make() {
  local size class=$SITE_STORAGE_CLASS kps=kube-prometheus-stack
  rm -rf -- "$WORK/site"
  mkdir -p "$WORK/site"
  value_set $kps .prometheus.prometheusSpec.retention "$SITE_PROMETHEUS_RETENTION"
  value_set $kps .prometheus.prometheusSpec.retentionSize "$SITE_PROMETHEUS_RETENTION_SIZE"
  for size in \
    "prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec $SITE_PROMETHEUS_SIZE" \
    "alertmanager.alertmanagerSpec.storage.volumeClaimTemplate.spec $SITE_ALERTMANAGER_SIZE"; do
    value_set $kps ".${size% *}.resources.requests.storage" "${size##* }"
    value_set $kps ".${size% *}.storageClassName" "$class"
  done
  value_set $kps .prometheus.prometheusSpec.externalUrl "https://$SITE_HOST/prometheus"
  value_set $kps .alertmanager.alertmanagerSpec.externalUrl "https://$SITE_HOST/alertmanager"
  value_set $kps '.grafana["grafana.ini"].server.domain' "$SITE_HOST"
  values_notifications
  value_set $kps .grafana.persistence.size "$SITE_GRAFANA_SIZE"
  value_set $kps .grafana.persistence.storageClassName "$class"
  value_set loki .loki.limits_config.retention_period "$SITE_LOKI_RETENTION"
  value_set loki .singleBinary.persistence.size "$SITE_LOKI_SIZE"
  value_set loki .singleBinary.persistence.storageClass "$class"
  value_set jaeger .persistence.size "$SITE_JAEGER_SIZE"
  value_set jaeger .persistence.storageClass "$class"
  value_set jaeger .userconfig.extensions.jaeger_storage.backends.badger.badger.ttl.spans "$SITE_JAEGER_RETENTION"
  value_set fluent-bit .buffer.logs "$SITE_EDGE_BUFFER_LOGS"
  value_set fluent-bit .buffer.metrics "$SITE_EDGE_BUFFER_METRICS"
  value_set fluent-bit .buffer.traces "$SITE_EDGE_BUFFER_TRACES"
  value_set fluent-bit .interval "$SITE_EDGE_INTERVAL" yaml
  value_set metrics-server .replicas "$SITE_METRICS_SERVER_REPLICAS" yaml
  if [ "$SITE_METRICS_SERVER_REPLICAS" != 1 ]; then
    value_set metrics-server .podDisruptionBudget.enabled true yaml
    value_set metrics-server .podDisruptionBudget.minAvailable 1 yaml
  fi
}

# The switches of the alert channels; their secrets are in the Secret alert-channels.
values_notifications() {
  local channel kps=kube-prometheus-stack
  value_set $kps .prometheus.prometheusSpec.externalLabels.site "$SITE_SITE_NAME"
  value_set $kps .notifications.proxy "$SITE_ALERT_PROXY"
  value_set $kps .notifications.timeIntervals.timezone "$SITE_TIMEZONE"
  if [ -n "$SITE_ALERT_EMAIL_TO" ]; then
    value_set $kps .notifications.email.enabled true yaml
    value_set $kps .notifications.email.to "$SITE_ALERT_EMAIL_TO"
    value_set $kps .notifications.email.from "$SITE_ALERT_EMAIL_FROM"
    value_set $kps .notifications.email.smarthost "$SITE_ALERT_EMAIL_SMARTHOST"
    value_set $kps .notifications.email.username "$SITE_ALERT_EMAIL_USERNAME"
    # shellcheck disable=SC2153
    [ "$SITE_ALERT_EMAIL_TLS" = yes ] || value_set $kps .notifications.email.requireTLS false yaml
  fi
  for channel in dingtalk:$SITE_ALERT_DINGTALK feishu:$SITE_ALERT_FEISHU wecom:$SITE_ALERT_WECOM webhook:$SITE_ALERT_WEBHOOK heartbeat:$SITE_ALERT_HEARTBEAT; do
    [ "${channel#*:}" = no ] || value_set $kps ".notifications.${channel%:*}.enabled" true yaml
  done
  [ "$SITE_ALERT_DINGTALK" != signed ] || value_set $kps .notifications.dingtalk.signed true yaml
}

# COMPONENT PATH: one of its files, with the site's namespace and sampling in it where these are not the catalog's.
component_file() {
  local file=$HERE/components/$1/$2 copy=$WORK/components/$1/$2
  if [ "$1" = istio ] && [ -n "$SITE_TRACE_SAMPLING" ]; then
    mkdir -p -- "$(dirname -- "$WORK/sampled/$2")"
    SAMPLING=$SITE_TRACE_SAMPLING "$YQ" '
      (select(.kind == "Telemetry") | .spec.tracing[] | select(has("randomSamplingPercentage")) | .randomSamplingPercentage) =
        (strenv(SAMPLING) | from_yaml)' "$file" >"$WORK/sampled/$2"
    file=$WORK/sampled/$2
  fi
  if [ "$NAMESPACE" = monitoring ]; then
    printf '%s' "$file"
    return 0
  fi
  if [ ! -e "$copy" ]; then
    mkdir -p -- "$(dirname -- "$copy")"
    NAMESPACE=$NAMESPACE "$YQ" '
      (.. | select(tag == "!!str")) |= sub("\.monitoring\.svc", "." + strenv(NAMESPACE) + ".svc") |
      (.. | select(tag == "!!map" and .namespace == "monitoring") | .namespace) = strenv(NAMESPACE) |
      (.. | select(tag == "!!map" and .kind == "Namespace" and .metadata.name == "monitoring") | .metadata.name) = strenv(NAMESPACE)
    ' "$file" >"$copy"
  fi
  printf '%s' "$copy"
}

# COMPONENT before|resources: applies our own manifests of it, all of a directory at once.
manifests_apply() {
  local file
  [ -d "$HERE/components/$1/$2" ] || return 0
  while read -r file; do
    apply "$(component_file "$1" "${file#"$HERE/components/$1/"}")" || die apply-failed "components/$1/$2"
  done < <(find "$HERE/components/$1/$2" -type f \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) | LC_ALL=C sort)
}
