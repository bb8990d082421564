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
  HELM=$(tools_runs helm version --short || true)
  YQ=$(tools_runs yq --version || true)
  [ -n "$YQ" ] || [ "$DRY_RUN" = yes ] || die tool-missing yq
  if command -v kubectl >/dev/null; then
    KUBECTL=(kubectl)
  elif command -v k3s >/dev/null; then
    KUBECTL=(k3s kubectl)
  fi
  if [ -z "${KUBECONFIG:-}" ] && [ -r "$INSTALL_ROOT/etc/rancher/k3s/k3s.yaml" ]; then
    export KUBECONFIG=$INSTALL_ROOT/etc/rancher/k3s/k3s.yaml
  fi
}

# NAME ARGUMENT…: the bundle's program where it runs here, else the host's. Of yq only the one of its author will do:
# another program of this name has another language.
tools_runs() {
  local path answer
  for path in "$(carried "$1" || true)" "$(command -v "$1" || true)"; do
    [ -n "$path" ] || continue
    answer=$("$path" "${@:2}" 2>/dev/null || true)
    if [ "$1" = yq ] && [[ $answer != *mikefarah* ]]; then
      continue
    fi
    if [ -n "$answer" ]; then
      printf '%s' "$path"
      return 0
    fi
  done
  return 1
}

tools_cluster() {
  [ -n "$HELM" ] || die tool-missing helm
  [ ${#KUBECTL[@]} -gt 0 ] || die tool-missing kubectl
}
