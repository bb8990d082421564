# shellcheck shell=bash
# What has to be so before anything is installed, each with what to do where it is not.

preflight_only() {
  if [ "$DRY_RUN" = yes ]; then
    # A release job has no site: there the bundle counts, not the host.
    preflight_bundle
  else
    site_infer
    # A host without k3s or kubectl is to become an edge.
    if [ ${#KUBECTL[@]} -gt 0 ] && [ "$PROFILE" != edge ]; then
      preflight_cloud
    else
      edge_preflight
    fi
  fi
  report || exit 1
}

# What can be known from the bundle alone, on a machine that is no node: for those who publish it.
preflight_bundle() {
  local component at
  PROFILE=${PROFILE:-cloud} NAMESPACE=${NAMESPACE:-monitoring} SITE_HOST=${SITE_HOST:-192.0.2.1}
  result PASS files files-ok "$(awk 'END { print NR }' "$HERE/SHA256SUMS")"
  result PASS settings settings-read "$SITE_FILE"
  result PASS arch arch-ok "$ARCH"
  result PASS images images-planned "$(plan_images | awk 'END { print NR }')" "$PROFILE"
  API_VERSIONS=() API_VERSIONS_READ=yes
  if [ -z "$HELM" ] || [ -z "$YQ" ]; then
    result SKIP charts charts-unrendered
  else
    values_make
    for component in $(plan_components); do
      for at in $(plan_releases "$component"); do
        if release_render "$at" --include-crds >"$WORK/rendered" 2>"$WORK/message"; then
          result PASS "${RELEASE_NAME[at]}" chart-renders "${RELEASE_CHART[at]##*/}" "$(grep -c '^kind:' "$WORK/rendered" || true)"
        else
          tail -n 5 "$WORK/message" >&2
          result FAIL "${RELEASE_NAME[at]}" render-failed "${RELEASE_NAME[at]}"
        fi
      done
    done
  fi
  result SKIP host host-unseen
}

preflight_cloud() {
  tools_cluster
  preflight_host
  if ! "${KUBECTL[@]}" version --request-timeout=10s >"$WORK/version" 2>&1; then
    result FAIL api api-unreachable "${KUBECONFIG:-}"
    return 0
  fi
  result PASS api api-ok "$(server_version)"
  preflight_nodes
  preflight_charts
  preflight_storage
  preflight_k3s
  preflight_ports
  preflight_iptables
  preflight_cloudcore
}

server_version() {
  kubectl_ask version -o json | "$YQ" -p=json -o=yaml '.serverVersion.gitVersion // ""'
}

preflight_host() {
  if [ "$(id -u)" -eq 0 ]; then
    result PASS root root-ok
  else
    result FAIL root root-fix
  fi
  result PASS arch arch-ok "$ARCH"
  images_runtime
  preflight_disk
}

preflight_disk() {
  local free need
  # Compressed in the content store, and unpacked beside it.
  need=$(($(images_bytes) * 3))
  free=$(free_bytes "$(containerd_root)")
  if [ "$free" -lt "$need" ]; then
    result FAIL disk disk-low "$(containerd_root)" $((free >> 20)) $((need >> 20))
  else
    result PASS disk disk-ok $((free >> 20))
  fi
}

# DIRECTORY: the free bytes where it is, or where it will be.
free_bytes() {
  local directory=$1
  while [ ! -d "$directory" ]; do
    directory=$(dirname -- "$directory")
  done
  df -Pk -- "$directory" | awk 'NR == 2 { printf "%.0f\n", $4 * 1024 }'
}

preflight_nodes() {
  local nodes edges
  nodes=$(cloud_nodes | awk 'END { print NR }')
  edges=$(edge_nodes | awk 'END { print NR }')
  if [ "$nodes" -eq 0 ]; then
    result FAIL nodes nodes-none
  else
    result PASS nodes nodes-ok "$nodes" "$edges"
  fi
  if [ "$edges" -eq 0 ]; then
    result WARN edges edges-none
  fi
}

# The charts that are to be installed against the server's version.
preflight_charts() {
  local version at component wanted bad=0
  version=$(server_version)
  for component in $(plan_components); do
    for at in $(plan_releases "$component"); do
      wanted=$("$HELM" show chart "$HERE/${RELEASE_CHART[at]}" | "$YQ" '.kubeVersion // ""')
      printf 'only: version\nwanted: "%s"\n' "$wanted" >"$WORK/wanted.yaml"
      if [ -n "$wanted" ] && ! "$HELM" template x "$HERE/lib/certificates" --kube-version "$version" \
        --values "$WORK/wanted.yaml" >/dev/null 2>&1; then
        result FAIL "$component" chart-version "${RELEASE_CHART[at]##*/}" "$wanted" "$version"
        bad=1
      fi
    done
  done
  [ "$bad" -eq 1 ] || result PASS charts charts-ok "$version"
}

preflight_storage() {
  local class
  plan_has_charts || return 0
  if [ -n "$SITE_STORAGE_CLASS" ]; then
    if exists get storageclass "$SITE_STORAGE_CLASS"; then
      result PASS storage storage-ok "$SITE_STORAGE_CLASS"
    else
      result FAIL storage storage-missing "$SITE_STORAGE_CLASS"
    fi
    return 0
  fi
  class=$(kubectl_ask get storageclass -o 'jsonpath={range .items[?(@.metadata.annotations.storageclass\.kubernetes\.io/is-default-class=="true")]}{.metadata.name}{"\n"}{end}')
  if [ -n "$class" ]; then
    result PASS storage storage-ok "${class%%$'\n'*}"
  else
    result FAIL storage storage-none
  fi
}

# How k3s runs here; nothing to say where it is another Kubernetes.
preflight_k3s() {
  local config=$INSTALL_ROOT/etc/rancher/k3s/config.yaml unit=$INSTALL_ROOT/etc/systemd/system/k3s.service mode=''
  if ! command -v k3s >/dev/null; then
    result SKIP k3s k3s-absent
    return 0
  fi
  if [ -r "$config" ]; then
    mode=$("$YQ" '.["egress-selector-mode"] // ""' "$config")
  fi
  if [ -z "$mode" ] && [ -r "$unit" ]; then
    mode=$(sed -n "s/.*--egress-selector-mode[= '\"]*\([a-z]*\).*/\1/p" "$unit" | awk 'NR == 1')
  fi
  if [ -z "$mode" ] && [ -r "$unit" ]; then
    # k3s' own script writes one argument a line.
    mode=$(awk '/--egress-selector-mode/ { getline; gsub(/[^a-z]/, ""); print; exit }' "$unit")
  fi
  if [ "$mode" = disabled ]; then
    result PASS k3s-egress egress-ok
  else
    result FAIL k3s-egress egress-fix "${mode:-agent}"
  fi
}

# NodePorts and host ports that somebody else has.
preflight_ports() {
  local taken
  command -v ss >/dev/null || {
    result SKIP ports tool-absent ss
    return 0
  }
  taken=$(ss -Hltn 'sport = :9091' | awk '{ print $4 }')
  if [ -n "$taken" ] && ! exists -n kubeedge get deployment cloudcore; then
    result FAIL ports port-taken 9091 "$taken"
  else
    result PASS ports ports-ok
  fi
}

# What one kind of iptables writes the other does not show.
preflight_iptables() {
  if [ "$(iptables_kinds)" = $'nft\nlegacy' ]; then
    result WARN iptables iptables-both
  else
    result PASS iptables iptables-ok "$(iptables_framework)"
  fi
}

# With it comes what listens in the host's network and asks nobody who he is.
preflight_cloudcore() {
  if ! exists -n kubeedge get deployment cloudcore; then
    result SKIP cloudcore cloudcore-absent
    return 0
  fi
  if cloudcore_available; then
    result PASS cloudcore cloudcore-ok
  else
    result WARN cloudcore cloudcore-down
  fi
  result WARN firewall firewall-fix
}
