# `install.sh verify`, `status`, `send-test-alert` and `uninstall`.
load setup

healthy_stack() {
  kubeedge
  install cloud
  [ "$status" -eq 0 ]
  answer 'get deployment cloudcore -o jsonpath={.status' True
  answer 'get configmap tunnelport' '{"ipTunnelPort":{},"port":{"10351":true}}'
  answer 'get pods -A --field-selector' 'monitoring\tagent-x\n'
  answer 'get apiservice' True
  answer 'top node' 'edge-1 120m 6%% 512Mi 13%%\n'
  answer 'top pod' 'monitoring agent-x 5m 20Mi\n'
  answer 'get pods -o jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\t"}' 'a\tRunning\tTrue\nb\tSucceeded\t\n'
  answer 'get service kps-prometheus' service/kps-prometheus
  answer 'get service kps-alertmanager' service/kps-alertmanager
  answer 'get service loki' service/loki
  answer 'get service -l app.kubernetes.io/name=grafana' kps-grafana
  printf -- '-A TUNNEL-PORT -p tcp -m tcp --dport 10351 -j DNAT --to-destination 192.0.2.10:10003\n' >"$FAKE/answer-iptables"
  printf '{"status":"success","data":{"result":[{"value":[1,"2"]}]}}' >"$FAKE/http/kps-prometheus"
  printf '{"cluster":{"status":"ready"}}' >"$FAKE/http/kps-alertmanager"
  printf '{"status":"success","data":["edge-1"]}' >"$FAKE/http/loki"
  printf '{"database":"ok"}' >"$FAKE/http/kps-grafana"
}

@test "everything that works passes, and each of the checks is there" {
  healthy_stack
  install verify
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  for check in cloudcore cloudstream edges edge-pods edge-logs edge-exec metrics-server top-node top-pod tunnel-rule prometheus edge-metrics loki alertmanager grafana images pods; do
    says "PASS  $check "
  done
  says "0 failed"
}

@test "each thing that is broken fails alone, with what to do" {
  healthy_stack
  cp "$FAKE/answers" "$BATS_TEST_TMPDIR/answers"
  while IFS='|' read -r check text reply; do
    cp "$BATS_TEST_TMPDIR/answers" "$FAKE/answers"
    : >"$FAKE/fail"
    if [ "$reply" = fails ]; then fail_when "$text"; else answer "$text" "$reply"; fi
    install verify
    [ "$status" -eq 1 ] || { echo "$check: $status"; echo "$output"; false; }
    says "FAIL  $check" || { echo "$check"; false; }
    says "1 failed" || { echo "$check"; false; }
  done <<'EOF'
cloudcore|-n kubeedge get deployment cloudcore -o jsonpath={.status|False
edges|get nodes -l node-role.kubernetes.io/edge -o|edge-1\tTrue\nedge-2\tUnknown\n
edge-pods|get pods --field-selector spec.nodeName=edge-1 -o jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\n"}|agent-x\tPending\n
edge-logs|logs agent-x|fails
edge-exec|exec agent-x|fails
top-node|top node edge-1|edge-1 <unknown> <unknown>\n
pods|-n monitoring get pods -o jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\t"}|a\tRunning\tFalse\n
EOF
}

@test "stores that do not answer fail" {
  healthy_stack
  rm "$FAKE/http/kps-alertmanager" && printf '{"data":[]}' >"$FAKE/http/loki"
  install verify
  [ "$status" -eq 1 ]
  says "FAIL  alertmanager"
  says "FAIL  loki"
  says "2 failed"
}

@test "a rule that is not there and an image that went fail" {
  healthy_stack
  : >"$FAKE/answer-iptables"
  sed -i '/example\/stack/d' "$FAKE/images"
  install verify
  [ "$status" -eq 1 ]
  says "FAIL  tunnel-rule"
  says "docker.io/example/stack:1"
}

@test "without an edge, what needs one is skipped with its reason" {
  healthy_stack
  sed -i '/get nodes -l node-role/d' "$FAKE/answers"
  install verify
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  for check in edges edge-pods edge-logs edge-exec top-node top-pod edge-metrics; do
    says "SKIP  $check "
  done
}

@test "JSON has every check, and the exit code says the same" {
  healthy_stack
  rm "$FAKE/http/kps-grafana"
  install verify --format json
  [ "$status" -eq 1 ]
  [ "$("$REAL_YQ" -p=json -o=yaml '[.checks[] | select(.status == "FAIL") | .check] | join(" ")' <<<"$output")" = grafana ]
  [ "$("$REAL_YQ" -p=json -o=yaml '.checks | length' <<<"$output")" -ge 17 ]
}

@test "an API server that does not answer is one failure" {
  fail_when 'kubectl version'
  install verify
  [ "$status" -eq 1 ]
  says "FAIL  api"
}

@test "a test alert reaches Alertmanager as a list with its severity" {
  healthy_stack
  install send-test-alert --severity critical
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  grep -q '^POST kps-alertmanager/api/v2/alerts' "$FAKE/http.log"
  [ "$(tail -n +2 "$FAKE/http.log" | "$REAL_YQ" -p=json -o=yaml '.[0].labels | .alertname + " " + .severity')" = "TestAlert critical" ]
  rm "$FAKE/http/kps-alertmanager"
  install send-test-alert
  [ "$status" -eq 1 ]
}

@test "on a small board the test alert is an event" {
  install send-test-alert --profile cloud --severity info || true
  printf 'profile\tsite\tagent\n' >>"$bundle/lib/plan.tsv" && seal "$bundle"
  install send-test-alert --profile site
  [ "$status" -eq 0 ]
  calls 'kubectl create -f'
}

@test "status tells what is installed and where" {
  install cloud
  install status
  [ "$status" -eq 0 ]
  says "observability 1.0.0"
  says "kube-prometheus-stack"
  says deployed
}

@test "uninstall goes backwards, and keeps volumes, passwords and definitions" {
  install cloud
  : >"$FAKE/calls"
  install uninstall --yes
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  at() { awk -v text="$1" 'index($0, text) { print NR; exit }' "$FAKE/calls"; }
  [ "$(at 'resources/b.yaml')" -lt "$(at 'before/a.yaml')" ]
  [ "$(at 'helm uninstall edgemesh')" -lt "$(at 'helm uninstall kube-prometheus-stack')" ]
  absent -E 'persistentvolumeclaim --all|delete.*secret|delete.*namespace|crds' "$FAKE/calls"
  says "stay in namespace monitoring"
  says "bundler.bundle/observability@1.0.0"
}

@test "uninstall asks, and without a terminal wants --yes" {
  install cloud
  install uninstall
  [ "$status" -eq 1 ]
  says "say --yes"
  [ -e "$FAKE/releases/kube-prometheus-stack" ]
}

@test "a claim that a chart made keeps its volume" {
  install cloud
  printf -- '---\nkind: PersistentVolumeClaim\nmetadata: {name: grafana}\n' >>"$FAKE/releases/kube-prometheus-stack"
  answer 'get persistentvolumeclaim grafana' pvc-123
  install uninstall --yes
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  calls 'patch persistentvolume pvc-123 --type=merge -p {"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
  says "volume pvc-123 stays"
}

@test "--purge and --purge-crds take the rest, and nothing that is not ours" {
  install cloud
  answer 'get namespaces -l' 'monitoring\nkube-system\nkubeedge\n'
  install uninstall --yes --purge --purge-crds
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  calls 'delete --ignore-not-found --wait=false namespace monitoring'
  absent -E 'namespace (kube-system|kubeedge)$' <(grep delete "$FAKE/calls")
  calls 'crds.yaml'
}
