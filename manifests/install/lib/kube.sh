# shellcheck shell=bash
# Asking and telling the API server.

# The condition that makes a node one of KubeEdge's edges: the label is there, whatever its value.
EDGE_LABEL="node-role.kubernetes.io/edge"

# Reads; never changes anything.
kubectl_ask() {
  "${KUBECTL[@]}" "$@" 2>>"${LOG:-/dev/null}"
}

# FILE or directory: applies it as its one owner.
apply() {
  show_manifest_of "$1"
  run "${KUBECTL[@]}" apply --server-side --force-conflicts --field-manager=observability-installer -f "$1"
}

show_manifest_of() {
  local file
  [ "$DRY_RUN" = yes ] || return 0
  if [ -d "$1" ]; then
    for file in "$1"/*; do
      show_manifest_of "$file"
    done
  else
    show_manifest "$1"
  fi
}

# Ready nodes of the cloud, one a line.
cloud_nodes() {
  kubectl_ask get nodes -l "!$EDGE_LABEL" -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{range .status.conditions[?(@.type=="Ready")]}{.status}{end}{"\n"}{end}' |
    awk -F'\t' '$2 == "True" { print $1 }'
}

# Edge nodes with their readiness, one a line: name, tab, True.
edge_nodes() {
  kubectl_ask get nodes -l "$EDGE_LABEL" -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{range .status.conditions[?(@.type=="Ready")]}{.status}{end}{"\n"}{end}'
}

node_address() {
  kubectl_ask get node "$1" -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'
}

# Fills in what the site's settings leave to the cluster.
site_infer() {
  local node
  NAMESPACE=${NAMESPACE:-monitoring}
  PROFILE=${PROFILE:-cloud}
  if [ -z "$SITE_HOST" ]; then
    # Where no API answers yet, preflight says so.
    node=$(cloud_nodes | awk 'NR == 1') || node=
    SITE_HOST=$([ -z "$node" ] || node_address "$node")
    SITE_HOST=${SITE_HOST%% *}
  fi
  SITE_CLOUD_ADDRESS=${SITE_CLOUD_ADDRESS:-$SITE_HOST}
}

# KIND/NAME NAMESPACE SECONDS: waits until it is rolled out.
rolled_out() {
  run "${KUBECTL[@]}" -n "$2" rollout status "$1" --timeout="${3}s"
}

exists() {
  [ -n "$(kubectl_ask "$@" --ignore-not-found -o name)" ]
}
