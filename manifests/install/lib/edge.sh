# shellcheck shell=bash
# `./install.sh edge`: one edge node. Its pods are scheduled by the cloud; here are their images, edgecore's settings
# and the directory for buffers. It needs no API server, and works while the cloud cannot be reached.

edge_install() {
  local version changed=no
  state_open
  PROFILE=${PROFILE:-edge}
  refuse_downgrade "$(host_versions | tail -n 1)"
  step step-preflight
  edge_preflight
  [ "$(count FAIL)" -eq 0 ] || die preflight-failed
  edge_runtime
  if wanted images; then
    images_load
    edge_sandbox
  fi
  run mkdir -p -- "$INSTALL_ROOT/var/lib/fluent-bit" || die directory-failed "$INSTALL_ROOT/var/lib/fluent-bit"
  step step-edgecore
  if [ ! -r "$INSTALL_ROOT$EDGECORE_CONFIG" ]; then
    edge_join
    changed=yes
  elif edgecore_configure; then
    changed=yes
    run systemctl restart edgecore || die edgecore-restart
  fi
  if [ "$DRY_RUN" = no ]; then
    edge_healthy || die edgecore-unhealthy
    host_remember
    ! wanted images || images_prune
  fi
  edge_link
  say done-edge "$changed"
}

# The containerd that edgecore uses, else the only one of the host.
edge_runtime() {
  local endpoint
  endpoint=$(edgecore_get .modules.edged.tailoredKubeletConfig.containerRuntimeEndpoint unix:///run/containerd/containerd.sock)
  images_runtime "$INSTALL_ROOT${endpoint#unix://}"
}

edge_preflight() {
  local config
  result PASS arch arch-ok "$ARCH"
  edge_runtime
  preflight_disk
  if ! command -v ctr >/dev/null; then
    result FAIL containerd tool-absent ctr
    return 0
  fi
  if ! images_present >/dev/null 2>&1; then
    result FAIL containerd containerd-unreachable "${CTR[*]}"
    return 0
  fi
  config=$(containerd config dump 2>/dev/null || true)
  if [[ $config =~ disabled_plugins\ *=\ *\[[^]]*[\"\']([a-z.]*\.)?cri[\"\'] ]]; then
    result FAIL containerd containerd-cri
  else
    result PASS containerd containerd-ok "$CONTAINERD_SOCKET"
  fi
  edge_cgroups "$config"
}

# containerd and edgecore have to agree on who keeps the cgroups.
edge_cgroups() {
  local driver runtime=cgroupfs
  driver=$(edgecore_get .modules.edged.tailoredKubeletConfig.cgroupDriver "$SITE_EDGE_CGROUP_DRIVER")
  [[ ! $1 =~ SystemdCgroup\ *=\ *true ]] || runtime=systemd
  if [ -n "$1" ] && [ "$driver" != "$runtime" ]; then
    result FAIL cgroups cgroups-differ "$driver" "$runtime"
  else
    result PASS cgroups cgroups-ok "$driver"
  fi
}

# The image of every pod's sandbox is containerd's own choice; without it no pod starts, and nothing can pull it here.
edge_sandbox() {
  local config wanted carried present
  config=$(containerd config dump 2>/dev/null || true)
  wanted=$(sed -n "s/^ *\(sandbox_image\|sandbox\) *= *[\"']\([^\"']*\)[\"'].*/\2/p" <<<"$config" | awk 'NR == 1')
  carried=$(plan_images | awk '/\/pause:/ && !found++')
  [ -n "$wanted" ] && [ -n "$carried" ] && [ "$wanted" != "$carried" ] || return 0
  present=$(images_present)
  [[ $'\n'$present$'\n' != *$'\n'"$wanted"$'\n'* ]] || return 0
  say sandbox-tagged "$wanted" "$carried"
  run "${CTR[@]}" images tag "$carried" "$wanted" || die images-failed
  run "${CTR[@]}" images label "$wanted" io.cri-containerd.pinned=pinned || die images-failed
}

# A node that has never joined: keadm writes edgecore.yaml with all settings at once.
edge_join() {
  local keadm version settings=()
  wanted join || die edgecore-absent
  [ -n "$SITE_CLOUD_ADDRESS" ] || die join-needs CLOUD_ADDRESS
  [ -n "$SITE_EDGE_NODE_NAME" ] || die join-needs EDGE_NODE_NAME
  [ -n "$JOIN_TOKEN_FILE" ] || die join-needs-token
  keadm=$(edge_keadm)
  version=${COMPONENT_VERSION[edgecore]:-${COMPONENT_VERSION[keadm]:-}}
  mapfile -t settings < <(edgecore_join_settings)
  say joining "$SITE_EDGE_NODE_NAME" "$SITE_CLOUD_ADDRESS"
  # keadm takes the token as an argument only; it is used once, and this shows it to nobody who is not root already.
  secret "$(cat -- "$JOIN_TOKEN_FILE")"
  run "$keadm" join --cloudcore-ipport="$SITE_CLOUD_ADDRESS:10000" --edgenode-name="$SITE_EDGE_NODE_NAME" \
    --kubeedge-version="v$version" --cgroupdriver="$SITE_EDGE_CGROUP_DRIVER" --with-mqtt=false \
    --remote-runtime-endpoint="unix://$CONTAINERD_SOCKET" --token="$(cat -- "$JOIN_TOKEN_FILE")" "${settings[@]}" ||
    die join-failed
}

# The host's keadm, else that of the bundle's archive.
edge_keadm() {
  local archive member
  if command -v keadm; then
    return 0
  fi
  archive=$(carried keadm.tar.gz) || die tool-missing keadm
  member=$(tar -tzf "$archive" | awk '/\/keadm$/ && !found++')
  tar -xzf "$archive" -C "$WORK" "$member"
  printf '%s/%s' "$WORK" "$member"
}

# edgecore is up, and its kubelet answers on this host and nowhere else.
edge_healthy() {
  local tries
  for tries in $(seq "${EDGE_TRIES:-30}"); do
    if systemctl is-active --quiet edgecore && [ "$(edge_get /healthz)" = ok ]; then
      return 0
    fi
    [ "$tries" -eq "${EDGE_TRIES:-30}" ] || sleep 2
  done
  return 1
}

# PATH of the node's own kubelet.
edge_get() {
  http GET "$(edgecore_get .modules.edged.tailoredKubeletConfig.readOnlyPort 10350)" "$1" 2>/dev/null || true
}

# The way to the cloud; offline is no error here.
edge_link() {
  local cloud port
  cloud=$(edgecore_get .modules.edgeHub.websocket.server "$SITE_CLOUD_ADDRESS:10000")
  cloud=${cloud%:*}
  [ -n "$cloud" ] || return 0
  for port in 10000 10002 10004; do
    if timeout 3 bash -c ": </dev/tcp/$cloud/$port" 2>/dev/null; then
      log "reached $cloud:$port"
    else
      warn cloud-unreachable "$cloud:$port"
    fi
  done
}
