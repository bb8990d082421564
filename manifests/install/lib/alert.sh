# shellcheck shell=bash
# `./install.sh send-test-alert`: one alert through Alertmanager's own routes, to see where it arrives. It resolves by
# itself after five minutes.

alert_send() {
  tools_cluster
  NAMESPACE=${NAMESPACE:-monitoring}
  if [ "$PROFILE" = site ]; then
    alert_event
    return 0
  fi
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

# A small board watches events and has no other way in.
alert_event() {
  local now
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  cat >"$WORK/event.yaml" <<EOF
apiVersion: v1
kind: Event
metadata:
  generateName: test-alert-
  namespace: $NAMESPACE
type: Warning
reason: TestAlert
message: $(json "$(text alert-description)")
involvedObject: {apiVersion: v1, kind: Namespace, name: $NAMESPACE, namespace: $NAMESPACE}
source: {component: install.sh}
firstTimestamp: "$now"
lastTimestamp: "$now"
count: 1
EOF
  show_manifest "$WORK/event.yaml"
  run "${KUBECTL[@]}" create -f "$WORK/event.yaml" || die alert-failed "$NAMESPACE"
  say alert-sent warning
}
