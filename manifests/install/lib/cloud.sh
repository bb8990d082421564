# shellcheck shell=bash
# `./install.sh cloud`: the control plane, step by step. Run again, it changes only what differs.

cloud_install() {
  local installed
  tools_cluster
  state_open
  step step-preflight
  site_infer
  FORMAT=text preflight_cloud
  [ "$(count FAIL)" -eq 0 ] || die preflight-failed
  [ -n "$SITE_HOST" ] || die host-unknown
  installed=$(cluster_version)
  choice_recall
  refuse_downgrade "$installed"
  values_make
  edgemesh_values_early
  if [ -n "$installed" ]; then
    step step-difference "$installed" "$BUNDLE_VERSION"
    charts_difference
    [ "$installed" = "$BUNDLE_VERSION" ] || confirm confirm-upgrade "$installed" "$BUNDLE_VERSION"
  fi
  if wanted images; then
    images_runtime
    images_load
    images_elsewhere
  fi
  secrets_apply
  edgemesh_values
  crds_apply
  cloudcore_configure
  metrics_server_patch
  charts_install
  iptables_manager_configure
  finish "$installed"
}

# For the difference a release needs its secret values, and there are none to make before the namespaces exist.
edgemesh_values_early() {
  [ "$DRY_RUN" = yes ] || ! exists -n kubeedge get secret edgemesh-psk || edgemesh_values
}

# Workers run pods too, and this script reaches only the host that it runs on.
images_elsewhere() {
  local node own
  own=$(uname -n)
  for node in $(cloud_nodes); do
    [ "$node" = "$own" ] || [ "$node" = "${own%%.*}" ] || warn images-elsewhere "$node"
  done
}

finish() {
  # A part of the stack is no version of it.
  if [ -z "$ONLY" ]; then
    cluster_remember || die apply-failed "configmap $NAMESPACE/$RECORD"
    host_remember
    if wanted images; then
      images_prune
    fi
  else
    choice_write "$WITH"
  fi
  say done-cloud "$SITE_HOST"
  say done-verify
}
