# shellcheck shell=bash
# `./install.sh verify`: whether it works, each point with what to do where it does not.

verify_all() {
  if [ ${#KUBECTL[@]} -gt 0 ] && [ "$PROFILE" != edge ]; then
    verify_cloud
  else
    verify_edge
  fi
  report || exit 1
}

verify_cloud() {
  local edges ready
  tools_cluster
  site_infer
  if ! "${KUBECTL[@]}" version --request-timeout=10s >/dev/null 2>&1; then
    result FAIL api api-unreachable "${KUBECONFIG:-}"
    return 0
  fi
  edges=$(edge_nodes | awk 'END { print NR }')
  ready=$(edge_nodes | awk -F'\t' '$2 == "True" && !found++ { print $1 }')
  verify_cloudcore
  verify_edges "$edges"
  verify_edge_pod "$ready"
  verify_metrics_server "$ready"
  verify_tunnel_rule
  verify_stack "$ready"
  verify_images
  verify_pods
}

# Checks 1 and 2: cloudcore runs, and its tunnel is on.
verify_cloudcore() {
  local config connected
  if ! exists -n kubeedge get deployment cloudcore; then
    result SKIP cloudcore cloudcore-absent
    result SKIP cloudstream cloudcore-absent
    return 0
  fi
  if cloudcore_available; then
    result PASS cloudcore cloudcore-ok
  else
    result FAIL cloudcore cloudcore-down
  fi
  config=$(kubectl_ask -n kubeedge get configmap cloudcore -o 'jsonpath={.data.cloudcore\.yaml}')
  if [ "$("$YQ" '.modules.cloudStream.enable' <<<"$config")" != true ]; then
    result FAIL cloudstream cloudstream-off
    return 0
  fi
  connected=$(prometheus_value 'max(KubeEdge_CloudHub_connected_nodes)')
  if [ -n "$connected" ]; then
    result PASS cloudstream cloudstream-ok "$connected"
  else
    result FAIL cloudstream cloudstream-blind
  fi
}

# Check 3: edges are Ready.
verify_edges() {
  local down
  if [ "$1" -eq 0 ]; then
    result SKIP edges edges-none
    return 0
  fi
  down=$(edge_nodes | awk -F'\t' '$2 != "True" { printf "%s ", $1 }')
  if [ -n "$down" ]; then
    result FAIL edges edges-down "$down"
  else
    result PASS edges edges-ready "$1"
  fi
}

# Checks 4 to 6 on one pod of a Ready edge: it runs, its log can be read, and a program can be run in it.
verify_edge_pod() {
  local pod namespace name
  if [ -z "$1" ]; then
    for name in edge-pods edge-logs edge-exec; do
      result SKIP "$name" edges-not-ready
    done
    return 0
  fi
  verify_edge_agents "$1"
  pod=$(kubectl_ask get pods -A --field-selector "spec.nodeName=$1,status.phase=Running" -o 'jsonpath={range .items[*]}{.metadata.namespace}{"\t"}{.metadata.name}{"\n"}{end}' | awk 'NR == 1')
  if [ -z "$pod" ]; then
    result SKIP edge-logs edge-pod-none "$1"
    result SKIP edge-exec edge-pod-none "$1"
    return 0
  fi
  namespace=${pod%%$'\t'*} name=${pod#*$'\t'}
  if kubectl_ask -n "$namespace" logs "$name" --tail=1 --request-timeout=20s >/dev/null; then
    result PASS edge-logs edge-logs-ok "$namespace/$name"
  else
    result FAIL edge-logs edge-tunnel-fix "kubectl -n $namespace logs $name"
  fi
  # Images without a shell have no hostname; that the tunnel carried the question is what counts.
  if kubectl_ask -n "$namespace" exec "$name" --request-timeout=20s -- hostname >/dev/null 2>"$WORK/exec" ||
    [[ $(<"$WORK/exec") == *"executable file not found"* ]]; then
    result PASS edge-exec edge-exec-ok "$namespace/$name"
  else
    result FAIL edge-exec edge-tunnel-fix "kubectl -n $namespace exec $name -- hostname"
  fi
}

verify_edge_agents() {
  local bad
  bad=$(kubectl_ask -n "$NAMESPACE" get pods --field-selector "spec.nodeName=$1" -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\n"}{end}' | awk -F'\t' '$2 != "Running" && $2 != "Succeeded" { printf "%s ", $1 }')
  if [ -n "$bad" ]; then
    result FAIL edge-pods edge-pods-down "$1" "$bad"
  else
    result PASS edge-pods edge-pods-ok "$1"
  fi
}

# Checks 7 to 9.
verify_metrics_server() {
  local top
  if ! plan_selects metrics-server && ! exists -n kube-system get deployment metrics-server; then
    for top in metrics-server top-node top-pod; do
      result SKIP "$top" not-installed metrics-server
    done
    return 0
  fi
  if [ "$(kubectl_ask get apiservice v1beta1.metrics.k8s.io --ignore-not-found -o 'jsonpath={.status.conditions[?(@.type=="Available")].status}')" = True ]; then
    result PASS metrics-server metrics-server-ok
  else
    result FAIL metrics-server metrics-server-down
    result SKIP top-node metrics-server-down
    result SKIP top-pod metrics-server-down
    return 0
  fi
  if [ -z "$1" ]; then
    result SKIP top-node edges-not-ready
    result SKIP top-pod edges-not-ready
    return 0
  fi
  top=$(kubectl_ask top node "$1" --no-headers || true)
  if [[ $top =~ [0-9]+m\ .*[0-9]+Mi ]]; then
    result PASS top-node top-node-ok "$1"
  else
    result FAIL top-node top-node-fix "$1"
  fi
  top=$(kubectl_ask top pod -A --no-headers || true)
  if [ -n "$top" ]; then
    result PASS top-pod top-pod-ok
  else
    result FAIL top-pod top-node-fix "$1"
  fi
}

# Check 10: the port of the tunnel is redirected on this host.
verify_tunnel_rule() {
  local port program rules='' found=no
  port=$(kubectl_ask -n kubeedge get configmap tunnelport --ignore-not-found -o 'jsonpath={.metadata.annotations.tunnelportrecord\.kubeedge\.io}' | "$YQ" -p=json -o=yaml '.port | keys | .[0] // ""' 2>/dev/null || true)
  if [ -z "$port" ]; then
    result SKIP tunnel-rule tunnelport-absent
    return 0
  fi
  if [ "$(id -u)" -ne 0 ]; then
    result SKIP tunnel-rule root-fix
    return 0
  fi
  for program in iptables iptables-nft iptables-legacy; do
    command -v "$program" >/dev/null || continue
    rules=$("$program" -t nat -S TUNNEL-PORT 2>/dev/null || true)
    [[ $rules != *"--dport $port "* ]] || found=$program
  done
  if [ "$found" != no ]; then
    result PASS tunnel-rule tunnel-rule-ok "$port" "$found"
  else
    result FAIL tunnel-rule tunnel-rule-fix "$port"
  fi
}

# QUERY: the first value of its answer.
prometheus_value() {
  local query
  query=$(url_encoded "$1")
  service_http kps-prometheus 9090 GET "/api/v1/query?query=$query" | "$YQ" -p=json -o=yaml '.data.result[0].value[1] // ""' 2>/dev/null || true
}

url_encoded() {
  local LC_ALL=C at character
  for ((at = 0; at < ${#1}; at++)); do
    character=${1:at:1}
    case $character in
      [A-Za-z0-9._~-]) printf '%s' "$character" ;;
      *) printf '%%%02X' "'$character" ;;
    esac
  done
}

# Checks 11 to 14: what came from edges, and the stores.
verify_stack() {
  local samples nodes answer
  if ! exists -n "$NAMESPACE" get service kps-prometheus; then
    result SKIP prometheus not-installed Prometheus
  elif [ -n "$(prometheus_value 'vector(1)')" ]; then
    result PASS prometheus answers Prometheus
    samples=$(prometheus_value 'count(count by (node) ({location="edge"}))')
    if [ -z "$1" ]; then
      result SKIP edge-metrics edges-not-ready
    elif [ "${samples:-0}" != 0 ]; then
      result PASS edge-metrics edge-metrics-ok "$samples"
    else
      result FAIL edge-metrics edge-metrics-fix
    fi
  else
    result FAIL prometheus answers-not Prometheus kps-prometheus
  fi
  if ! exists -n "$NAMESPACE" get service loki; then
    result SKIP loki not-installed Loki
  else
    nodes=$(service_http loki 3100 GET /loki/api/v1/label/node/values || true)
    if [ "$("$YQ" -p=json -o=yaml '.data // [] | length' <<<"${nodes:-null}" 2>/dev/null || printf 0)" -gt 0 ]; then
      result PASS loki loki-ok
    else
      result FAIL loki loki-fix
    fi
  fi
  if ! exists -n "$NAMESPACE" get service kps-alertmanager; then
    result SKIP alertmanager not-installed Alertmanager
  else
    answer=$(service_http kps-alertmanager 9093 GET /api/v2/status || true)
    if [ "$("$YQ" -p=json -o=yaml '.cluster.status // ""' <<<"${answer:-null}" 2>/dev/null)" != '' ]; then
      result PASS alertmanager answers Alertmanager
    else
      result FAIL alertmanager answers-not Alertmanager kps-alertmanager
    fi
  fi
  answer=$(kubectl_ask -n "$NAMESPACE" get service -l app.kubernetes.io/name=grafana -o 'jsonpath={.items[0].metadata.name}' || true)
  if [ -z "$answer" ]; then
    result SKIP grafana not-installed Grafana
  elif [[ $(service_http "$answer" 80 GET /api/health || true) == *'"database"'*'ok'* ]]; then
    result PASS grafana answers Grafana
  else
    result FAIL grafana answers-not Grafana "$answer"
  fi
}

# Check 15: what runs here is here.
verify_images() {
  local missing
  if [ "$(id -u)" -ne 0 ]; then
    result SKIP images root-fix
    return 0
  fi
  [ ${#CTR[@]} -gt 0 ] || images_runtime
  if ! images_present >/dev/null 2>&1; then
    result FAIL images containerd-unreachable "${CTR[*]}"
    return 0
  fi
  missing=$(images_missing)
  if [ -n "$missing" ]; then
    result FAIL images images-missing "$missing"
  else
    result PASS images images-ok "$(plan_images | awk 'END { print NR }')"
  fi
}

# Every pod of the stack, on every node, and none of the cloud's on an edge.
verify_pods() {
  local bad
  bad=$(kubectl_ask -n "$NAMESPACE" get pods -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\t"}{range .status.conditions[?(@.type=="Ready")]}{.status}{end}{"\n"}{end}' |
    awk -F'\t' '$2 != "Succeeded" && $3 != "True" { printf "%s ", $1 }')
  if [ -n "$bad" ]; then
    result FAIL pods pods-down "$bad"
  else
    result PASS pods pods-ok "$NAMESPACE"
  fi
}

# On an edge, without any API.
verify_edge() {
  local config metrics listen port
  PROFILE=${PROFILE:-edge}
  edge_runtime
  if systemctl is-active --quiet edgecore; then
    result PASS edgecore edgecore-ok
  else
    result FAIL edgecore edgecore-down
  fi
  config=$INSTALL_ROOT$EDGECORE_CONFIG
  if [ ! -r "$config" ]; then
    result FAIL settings edgecore-unreadable "$config"
  elif edgecore_edit <"$config" >"$WORK/edgecore.yaml" && same_objects "$config" "$WORK/edgecore.yaml"; then
    result PASS settings settings-ok
  else
    result FAIL settings settings-fix
  fi
  if [ "$(edge_get /healthz)" = ok ]; then
    result PASS kubelet kubelet-ok
  else
    result FAIL kubelet kubelet-fix
  fi
  metrics=$(edge_get /metrics/cadvisor)
  if [[ $metrics == *container_* ]]; then
    result PASS metrics edge-cadvisor-ok
  else
    result FAIL metrics kubelet-fix
  fi
  if command -v ss >/dev/null; then
    port=$(edgecore_get .modules.edged.tailoredKubeletConfig.readOnlyPort 10350)
    listen=$(ss -Hltn "sport = :$port" | awk '{ print $4 }')
    case $listen in
      '' | 127.0.0.1:*) result PASS closed closed-ok ;;
      *) result FAIL closed closed-fix "$listen" ;;
    esac
  else
    result SKIP closed tool-absent ss
  fi
  verify_images
  verify_edge_link
}

verify_edge_link() {
  local cloud
  cloud=$(edgecore_get .modules.edgeHub.websocket.server)
  if ! command -v ss >/dev/null; then
    result SKIP link tool-absent ss
  elif [ -n "$(ss -Htn state established "dport = :${cloud##*:}")" ]; then
    result PASS link link-ok "$cloud"
  else
    result WARN link cloud-unreachable "$cloud"
  fi
}
