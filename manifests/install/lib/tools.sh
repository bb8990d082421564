# shellcheck shell=bash
# The programs: the bundle's own where it carries them, the host's for the rest.

ARCH=
HELM=
YQ=
BUNDLER=
KUBECTL=()

host_arch() {
  case $(uname -m) in
    x86_64 | amd64) printf amd64 ;;
    aarch64 | arm64) printf arm64 ;;
    *) uname -m ;;
  esac
}

# Ends unless the bundle is for this machine.
tools_arch() {
  local arch
  ARCH=$(host_arch)
  for arch in "${BUNDLE_ARCHS[@]}"; do
    [ "$arch" != "$ARCH" ] || return 0
  done
  die arch-other "${BUNDLE_ARCHS[*]}" "$ARCH"
}

# NAME: the path of a program of the bundle; bundles of two architectures have a directory for each.
carried() {
  local path
  for path in "$HERE/files/$ARCH/$1" "$HERE/files/$1"; do
    if [ -f "$path" ]; then
      printf '%s' "$path"
      return 0
    fi
  done
  return 1
}

# Finds what every command needs. It runs the bundle's programs, so it comes after trust_check.
tools_find() {
  HELM=$(carried helm || command -v helm || true)
  YQ=$(carried yq || true)
  # The one of the bundle or none: other programs of this name have another language.
  [ -n "$YQ" ] || die tool-missing yq
  if command -v kubectl >/dev/null; then
    KUBECTL=(kubectl)
  elif command -v k3s >/dev/null; then
    KUBECTL=(k3s kubectl)
  fi
  if [ -z "${KUBECONFIG:-}" ] && [ -r "$INSTALL_ROOT/etc/rancher/k3s/k3s.yaml" ]; then
    export KUBECONFIG=$INSTALL_ROOT/etc/rancher/k3s/k3s.yaml
  fi
}

tools_cluster() {
  [ -n "$HELM" ] || die tool-missing helm
  [ ${#KUBECTL[@]} -gt 0 ] || die tool-missing kubectl
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die root-needed "$COMMAND"
}
