# shellcheck shell=bash
# The DaemonSet that redirects the kubelet ports of edges to cloudcore writes its rules with the iptables in its image.
# They have to be of the kind that the host uses, or the kernel has two sets of tables.

# legacy or nft.
iptables_framework() {
  local version kinds
  if [ "$SITE_IPTABLES" != auto ]; then
    printf '%s' "$SITE_IPTABLES"
    return 0
  fi
  # Where Kubernetes' own chains are, the others belong too.
  kinds=$(iptables_kinds)
  if [ -n "$kinds" ]; then
    printf '%s' "${kinds%%$'\n'*}"
  else
    version=$(iptables --version 2>/dev/null || true)
    case $version in
      *nf_tables*) printf nft ;;
      # k3s brings an iptables of its own, which is nft where the host has none.
      '') printf nft ;;
      *) printf legacy ;;
    esac
  fi
}

# The kinds in which Kubernetes' own chains are, one a line; whoever is not root sees none.
iptables_kinds() {
  local kind rules
  for kind in nft legacy; do
    rules=$("iptables-$kind-save" -t nat 2>/dev/null || true)
    [[ $rules != *:KUBE-SERVICES* ]] || printf '%s\n' "$kind"
  done
}

iptables_manager_configure() {
  local framework repository image now
  wanted iptables-manager || return 0
  if ! exists -n kubeedge get daemonset cloud-iptables-manager; then
    say iptables-manager-absent
    return 0
  fi
  framework=$(iptables_framework)
  step step-iptables-manager "$framework"
  repository=docker.io/kubeedge/iptables-manager
  [ "$framework" = legacy ] || repository+=-nft
  now=$(kubectl_ask -n kubeedge get daemonset cloud-iptables-manager -o 'jsonpath={.spec.template.spec.containers[0].image}')
  now=docker.io/${now#docker.io/}
  if [ "${now%:*}" = "$repository" ]; then
    say config-unchanged cloud-iptables-manager
    return 0
  fi
  for image in ${COMPONENT_IMAGES[cloudcore]:-}; do
    if [ "${image%:*}" = "$repository" ]; then
      run "${KUBECTL[@]}" -n kubeedge set image daemonset/cloud-iptables-manager "iptables-manager=$image" || die apply-failed "daemonset kubeedge/cloud-iptables-manager"
      rolled_out daemonset/cloud-iptables-manager kubeedge 180 || die iptables-manager-slow
      return 0
    fi
  done
  die image-not-carried "$repository"
}
