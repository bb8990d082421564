# shellcheck shell=bash
# `./install.sh status`: which version is installed, which is here, and what runs.

status_show() {
  local component at versions
  state_open_quietly
  text status-bundle "$BUNDLE_NAME" "$BUNDLE_VERSION"
  versions=$(host_versions | tr '\n' ' ')
  text status-host "${versions:-–}"
  [ ${#KUBECTL[@]} -gt 0 ] && [ -n "$HELM" ] || return 0
  NAMESPACE=${NAMESPACE:-monitoring}
  PROFILE=${PROFILE:-cloud}
  versions=$(cluster_version) || die api-unreachable "${KUBECONFIG:-}"
  text status-cluster "${versions:-–}"
  choice_recall
  for component in $(plan_components); do
    for at in $(plan_releases "$component"); do
      printf '%-28s %-12s %s\n' "${RELEASE_NAME[at]}" "$(release_status "$at")" "$(release_chart_version "$at")"
    done
  done
}

# Reading needs no lock.
state_open_quietly() {
  STATE=$INSTALL_ROOT/var/lib/observability
}
