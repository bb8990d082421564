#!/usr/bin/env bash
# Installs the observability stack of this bundle on a k3s + KubeEdge site. Nothing here needs the internet.
# ./install.sh help tells how.
# `sh install.sh` is typed too, and sh may be dash, busybox, or bash with less than it can.
[ -n "${BASH_VERSION:-}" ] || exec bash -- "$0" "$@"
set +o posix
set -euo pipefail

HERE=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# What stands before every path of the host; only tests set it.
INSTALL_ROOT=${INSTALL_ROOT:-}
# Where k3s, keadm and containerd's own archive put their programs; sudo of many distributions leaves it out.
PATH=$PATH:$INSTALL_ROOT/usr/local/bin

# shellcheck source=lib/log.sh
. "$HERE/lib/log.sh"
# shellcheck source=lib/args.sh
. "$HERE/lib/args.sh"
# shellcheck source=lib/plan.sh
. "$HERE/lib/plan.sh"
# shellcheck source=lib/tools.sh
. "$HERE/lib/tools.sh"
# shellcheck source=lib/trust.sh
. "$HERE/lib/trust.sh"
# shellcheck source=lib/site.sh
. "$HERE/lib/site.sh"
# shellcheck source=lib/begin.sh
. "$HERE/lib/begin.sh"
# shellcheck source=lib/state.sh
. "$HERE/lib/state.sh"
# shellcheck source=lib/report.sh
. "$HERE/lib/report.sh"
# shellcheck source=lib/kube.sh
. "$HERE/lib/kube.sh"
# shellcheck source=lib/http.sh
. "$HERE/lib/http.sh"
# shellcheck source=lib/preflight.sh
. "$HERE/lib/preflight.sh"
# shellcheck source=lib/images.sh
. "$HERE/lib/images.sh"
# shellcheck source=lib/crds.sh
. "$HERE/lib/crds.sh"
# shellcheck source=lib/secrets.sh
. "$HERE/lib/secrets.sh"
# shellcheck source=lib/values.sh
. "$HERE/lib/values.sh"
# shellcheck source=lib/cloudcore.sh
. "$HERE/lib/cloudcore.sh"
# shellcheck source=lib/charts.sh
. "$HERE/lib/charts.sh"
# shellcheck source=lib/metrics_server.sh
. "$HERE/lib/metrics_server.sh"
# shellcheck source=lib/iptables_manager.sh
. "$HERE/lib/iptables_manager.sh"
# shellcheck source=lib/edgemesh.sh
. "$HERE/lib/edgemesh.sh"
# shellcheck source=lib/cloud.sh
. "$HERE/lib/cloud.sh"
# shellcheck source=lib/edgecore.sh
. "$HERE/lib/edgecore.sh"
# shellcheck source=lib/edge.sh
. "$HERE/lib/edge.sh"
# shellcheck source=lib/verify.sh
. "$HERE/lib/verify.sh"
# shellcheck source=lib/alert.sh
. "$HERE/lib/alert.sh"
# shellcheck source=lib/uninstall.sh
. "$HERE/lib/uninstall.sh"
# shellcheck source=lib/status.sh
. "$HERE/lib/status.sh"

language_load
args_parse "$@"
if [ "$COMMAND" = help ]; then
  usage
  exit 0
fi
begin
case $COMMAND in
  cloud) cloud_install ;;
  edge) edge_install ;;
  images) images_only ;;
  preflight) preflight_only ;;
  verify) verify_all ;;
  status) status_show ;;
  send-test-alert) alert_send ;;
  uninstall) uninstall_all ;;
esac
