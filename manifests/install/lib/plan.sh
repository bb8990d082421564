# shellcheck shell=bash
# What the bundle is and how its charts are installed: lib/plan.tsv, which `bundler pack` wrote from catalog and lock.

BUNDLE_NAME=
BUNDLE_VERSION=
BUNDLE_ARCHS=()
declare -A COMPONENT_VERSION=() PROFILE_MEMBERS=() COMPONENT_IMAGES=()
# Parallel lists, one entry a release; the arguments are joined by tabs.
RELEASE_COMPONENT=()
RELEASE_NAME=()
RELEASE_NAMESPACE=()
RELEASE_CHART=()
RELEASE_VALUES=()
RELEASE_ARGUMENTS=()

# The order of installation. What others need comes first: the operator's definitions before all that is watched, the
# stores before those that write to them. Components that are not named here follow in the order of their names.
ORDER=(
  kube-prometheus-stack prometheus-pushgateway loki jaeger opentelemetry-operator opentelemetry-collector
  prometheus-blackbox-exporter prometheus-alert kubernetes-event-exporter istio edgemesh logging-operator alloy fluent-bit
)
# The ways in come after what they lead to.
LAST=ways-in
# Installed only where --with or the site's settings name them.
OPTIONAL=" istio kubernetes-event-exporter logging-operator opentelemetry-operator prometheus-alert prometheus-pushgateway "

plan_load() {
  local fields plan=$HERE/lib/plan.tsv
  [ -r "$plan" ] || die plan-missing "$plan"
  while IFS=$'\t' read -r -a fields; do
    case ${fields[0]} in
      bundle) BUNDLE_NAME=${fields[1]} BUNDLE_VERSION=${fields[2]} ;;
      arch) BUNDLE_ARCHS+=("${fields[1]}") ;;
      profile) PROFILE_MEMBERS[${fields[1]}]+=" ${fields[2]}" ;;
      component) COMPONENT_VERSION[${fields[1]}]=${fields[2]} ;;
      image) COMPONENT_IMAGES[${fields[1]}]+=" ${fields[2]}" ;;
      release)
        RELEASE_COMPONENT+=("${fields[1]}")
        RELEASE_NAME+=("${fields[2]}")
        RELEASE_NAMESPACE+=("${fields[3]}")
        RELEASE_CHART+=("${fields[4]}")
        RELEASE_VALUES+=("${fields[5]}")
        RELEASE_ARGUMENTS+=("$(
          IFS=$'\t'
          printf '%s' "${fields[*]:6}"
        )")
        ;;
    esac
  done <"$plan"
  [ -n "$BUNDLE_VERSION" ] || die plan-missing "$plan"
}

# The components to install into the cluster, in order, one a line.
plan_components() {
  local name
  for name in "${ORDER[@]}" $(plan_unnamed) "$LAST"; do
    if plan_selects "$name" && plan_installs "$name"; then
      printf '%s\n' "$name"
    fi
  done
}

# The components without a place of their own.
plan_unnamed() {
  local other named=" ${ORDER[*]} $LAST "
  for other in "${!COMPONENT_VERSION[@]}"; do
    [[ $named == *" $other "* ]] || printf '%s\n' "$other"
  done | LC_ALL=C sort
}

# Whether any chart is to be installed: a small board has none, and needs neither volumes nor certificates.
plan_has_charts() {
  local component
  for component in $(plan_components); do
    [ -z "$(plan_releases "$component")" ] || return 0
  done
  return 1
}

# COMPONENT: whether there is something of it for the cluster, and not only images or programs.
plan_installs() {
  [[ " ${RELEASE_COMPONENT[*]} " == *" $1 "* ]] || [ -d "$HERE/components/$1/before" ] || [ -d "$HERE/components/$1/resources" ]
}

# COMPONENT: whether it is in the profile and not left out.
plan_selects() {
  local members=" ${PROFILE_MEMBERS[$PROFILE]:-} " with=",$WITH,$SITE_WITH,$ONLY,"
  [[ $members == *" $1 "* ]] || return 1
  [[ $OPTIONAL != *" $1 "* ]] || [[ $with == *",$1,"* ]] || return 1
  wanted "$1"
}

# COMPONENT: the positions of its releases.
plan_releases() {
  local at
  for at in "${!RELEASE_COMPONENT[@]}"; do
    [ "${RELEASE_COMPONENT[at]}" != "$1" ] || printf '%s\n' "$at"
  done
}

# The images of the profile, each once, sorted.
plan_images() {
  local name image
  for name in ${PROFILE_MEMBERS[$PROFILE]:-}; do
    for image in ${COMPONENT_IMAGES[$name]:-}; do
      printf '%s\n' "$image"
    done
  done | LC_ALL=C sort -u
}
