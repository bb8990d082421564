# shellcheck shell=bash
# `./install.sh send-test-alert`: one alert through Alertmanager's own routes, to see where it arrives. It resolves by
# itself after five minutes.

alert_send() {
  log_open
  site_load
  tools_arch
  tools_find
  tools_cluster
  NAMESPACE=${NAMESPACE:-monitoring}
  cat >"$WORK/alert.json" <<EOF
[{
  "labels": {"alertname": "TestAlert", "severity": "$SEVERITY", "node": "$(uname -n)", "source": "install.sh"},
  "annotations": {"summary": $(json "$(text alert-summary)"), "description": $(json "$(text alert-description)")}
}]
EOF
  show_manifest "$WORK/alert.json"
  run service_http kps-alertmanager 9093 POST /api/v2/alerts "$WORK/alert.json" || die alert-failed "$NAMESPACE/kps-alertmanager"
  say alert-sent "$SEVERITY"
}
