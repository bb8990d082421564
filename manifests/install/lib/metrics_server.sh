# shellcheck shell=bash
# `kubectl top` for edge nodes too: their kubelet's certificate is not for the address under which the tunnel shows it.

# What METRICS_SERVER=auto means here: patch k3s' own, or install the chart.
metrics_server_way() {
  local release
  if [ "$SITE_METRICS_SERVER" != auto ]; then
    printf '%s' "$SITE_METRICS_SERVER"
    return 0
  fi
  release=$(kubectl_ask -n kube-system get deployment metrics-server --ignore-not-found -o 'jsonpath={.metadata.name}/{.metadata.annotations.meta\.helm\.sh/release-name}')
  case $release in
    '' | /) printf chart ;;
    metrics-server/metrics-server) printf chart ;;
    *) printf patch ;;
  esac
}

# COMPONENT: whether it is installed as a chart; all but metrics-server are.
metrics_server_is_chart() {
  [ "$1" != metrics-server ] || [ "$(metrics_server_way)" = chart ]
}

# One patch with the whole list of arguments, so that a second run finds nothing to do. k3s writes its own manifest
# again when it is upgraded; running the installer again patches it again.
metrics_server_patch() {
  plan_selects metrics-server || return 0
  [ "$(metrics_server_way)" = patch ] || return 0
  step step-metrics-server
  kubectl_ask -n kube-system get deployment metrics-server -o yaml >"$WORK/metrics-server.yaml" || die metrics-server-absent
  # shellcheck disable=SC2016
  EDGE_LABEL=$EDGE_LABEL RESOLUTION=$SITE_METRICS_SERVER_RESOLUTION "$YQ" '
    .spec.template.spec.containers[0] as $container |
    ($container.args // [] | map(select(test("^--(kubelet-insecure-tls|metric-resolution)(=|$)") | not))) as $kept |
    {"spec": {"template": {"spec": {
      "containers": [{
        "name": $container.name,
        "args": $kept + ["--kubelet-insecure-tls", "--metric-resolution=" + strenv(RESOLUTION)]
      }],
      "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": strenv(EDGE_LABEL), "operator": "DoesNotExist"}]}
      ]}}}
    }}}}' "$WORK/metrics-server.yaml" >"$WORK/metrics-server-patch.yaml"
  if metrics_server_has; then
    say config-unchanged metrics-server
  else
    show_manifest "$WORK/metrics-server-patch.yaml"
    run "${KUBECTL[@]}" -n kube-system patch deployment metrics-server --type=strategic --patch-file "$WORK/metrics-server-patch.yaml" ||
      die apply-failed "deployment kube-system/metrics-server"
  fi
  rolled_out deployment/metrics-server kube-system 180 || warn metrics-server-slow
}

# Whether the deployment has all of the patch already; the order of arguments does not matter.
metrics_server_has() {
  local query='.spec.template.spec | {"args": (.containers[0].args | sort), "affinity": .affinity.nodeAffinity}'
  "$YQ" -o=json "$query" "$WORK/metrics-server.yaml" >"$WORK/left"
  "$YQ" -o=json "$query" "$WORK/metrics-server-patch.yaml" >"$WORK/right"
  cmp -s "$WORK/left" "$WORK/right"
}
