# shellcheck shell=bash
# Helm releases in their order, each ready before the next. A release that does not become ready is rolled back to
# what ran before.

HELM_TIMEOUT=${HELM_TIMEOUT:-10m}

# POSITION: the namespace of a release: the catalog's, or the site's where that is the catalog's own.
release_namespace() {
  local namespace=$1
  [[ ! $namespace =~ ^[0-9]+$ ]] || namespace=${RELEASE_NAMESPACE[$1]}
  [ "$namespace" != monitoring ] || namespace=$NAMESPACE
  printf '%s\n' "$namespace"
}

# POSITION: fills ARGUMENTS with what render, difference and installation are all given.
release_arguments() {
  local component=${RELEASE_COMPONENT[$1]} file own=()
  ARGUMENTS=("${RELEASE_NAME[$1]}" "$HERE/${RELEASE_CHART[$1]}" --namespace "$(release_namespace "$1")")
  if [ "${RELEASE_VALUES[$1]}" != - ]; then
    file=${RELEASE_VALUES[$1]#components/"$component"/}
    ARGUMENTS+=(--values "$(component_file "$component" "$file")")
  fi
  for file in "$WORK/site/$component.yaml" "$WORK/secret-values/$component.yaml"; do
    [ ! -e "$file" ] || ARGUMENTS+=(--values "$file")
  done
  for file in "${VALUES_FILES[@]}"; do
    # An operator's file has one key a component.
    "$YQ" ".[\"$component\"] // {}" "$file" >"$WORK/own-$component.yaml"
    ARGUMENTS+=(--values "$WORK/own-$component.yaml")
  done
  if [ -n "${RELEASE_ARGUMENTS[$1]}" ]; then
    IFS=$'\t' read -r -a own <<<"${RELEASE_ARGUMENTS[$1]}"
    ARGUMENTS+=("${own[@]}")
  fi
}

# POSITION OPTION…: the chart's manifests as they would be installed on this cluster.
release_render() {
  local at=$1
  shift
  release_arguments "$at"
  [ -n "${API_VERSIONS_READ:-}" ] || api_versions_read
  "$HELM" template "${ARGUMENTS[@]}" "${API_VERSIONS[@]}" "$@"
}

# What the cluster can do, for templates that ask.
api_versions_read() {
  local group version
  API_VERSIONS=()
  API_VERSIONS_READ=yes
  version=$(server_version)
  [ -z "$version" ] || API_VERSIONS+=(--kube-version "$version")
  for group in $(kubectl_ask api-versions); do
    API_VERSIONS+=(--api-versions "$group")
  done
}

# POSITION: the status that Helm has for it, empty where it has none.
release_status() {
  "$HELM" status "${RELEASE_NAME[$1]}" --namespace "$(release_namespace "$1")" -o json 2>/dev/null |
    "$YQ" -p=json -o=yaml '.info.status // ""' 2>/dev/null || true
}

release_revision() {
  "$HELM" status "${RELEASE_NAME[$1]}" --namespace "$(release_namespace "$1")" -o json 2>/dev/null |
    "$YQ" -p=json -o=yaml '.version // 0' 2>/dev/null || printf 0
}

# POSITION: a run that was killed leaves a release that Helm believes to be in the making for ever.
release_unlock() {
  local status revision
  status=$(release_status "$1")
  case $status in
    pending-*)
      revision=$(release_revision "$1")
      warn release-pending "${RELEASE_NAME[$1]}" "$status" "$revision"
      run "${KUBECTL[@]}" -n "$(release_namespace "$1")" delete secret "sh.helm.release.v1.${RELEASE_NAME[$1]}.v$revision" ||
        die release-failed "${RELEASE_NAME[$1]}"
      ;;
  esac
}

# POSITION FILE: the manifests that an installation would bring, without hooks; FILE.values has the values that are given.
release_wanted() {
  release_arguments "$1"
  if "$HELM" upgrade --install "${ARGUMENTS[@]}" --skip-crds --dry-run=server -o json >"$WORK/release.json" 2>>"${LOG:-/dev/null}"; then
    "$YQ" -p=json -o=yaml '.manifest // ""' "$WORK/release.json" >"$2"
    "$YQ" -p=json -o=json '.config // {} | sort_keys(..)' "$WORK/release.json" >"$2.values"
  else
    # Its definitions may be newer than the cluster's, which come later.
    release_render "$1" >"$2"
    rm -f -- "$2.values"
  fi
}

without_secrets() {
  "$YQ" '(select(.kind == "Secret") | .data[]) = "***" | (select(.kind == "Secret") | .stringData[]) = "***"' "$1" | masked
}

# POSITION: whether it is deployed as it would be now, with all its objects there. What a Secret holds does not count,
# since charts make up passwords anew at each render; what is given does.
release_unchanged() {
  local name=${RELEASE_NAME[$1]} namespace target=$WORK/wanted-${RELEASE_NAME[$1]}.yaml
  namespace=$(release_namespace "$1")
  [ "$(release_status "$1")" = deployed ] || return 1
  "$HELM" get manifest "$name" --namespace "$namespace" >"$WORK/has-$name.yaml" 2>/dev/null || return 1
  release_wanted "$1" "$target" || return 1
  "$HELM" get values "$name" --namespace "$namespace" -o json 2>/dev/null |
    "$YQ" -p=json -o=json '. // {} | sort_keys(..)' >"$WORK/values" || return 1
  cmp -s "$WORK/values" "$target.values" || return 1
  without_secrets "$WORK/has-$name.yaml" >"$WORK/has-plain"
  without_secrets "$target" >"$WORK/wanted-plain"
  same_objects "$WORK/has-plain" "$WORK/wanted-plain" || return 1
  # kubectl takes no namespace beside objects of another one.
  NAMESPACE=$namespace "$YQ" 'select((.metadata.namespace // strenv(NAMESPACE)) == strenv(NAMESPACE))' "$WORK/has-$name.yaml" >"$WORK/here"
  NAMESPACE=$namespace "$YQ" 'select((.metadata.namespace // strenv(NAMESPACE)) != strenv(NAMESPACE))' "$WORK/has-$name.yaml" >"$WORK/elsewhere"
  kubectl_ask -n "$namespace" get -f "$WORK/here" -o name >/dev/null 2>&1 || return 1
  [ ! -s "$WORK/elsewhere" ] || kubectl_ask get -f "$WORK/elsewhere" -o name >/dev/null 2>&1
}

# The same documents, whatever the empty lines between them.
same_objects() {
  "$YQ" -P 'sort_keys(..)' "$1" >"$WORK/left" && "$YQ" -P 'sort_keys(..)' "$2" >"$WORK/right" && cmp -s "$WORK/left" "$WORK/right"
}

# Tells what an upgrade would change, release by release; the whole difference is in the log.
charts_difference() {
  local component at name lines changed=0
  for component in $(plan_components); do
    metrics_server_is_chart "$component" || continue
    for at in $(plan_releases "$component"); do
      name=${RELEASE_NAME[at]}
      if release_unchanged "$at"; then
        continue
      fi
      changed=1
      if [ -s "$WORK/has-$name.yaml" ]; then
        without_secrets "$WORK/has-$name.yaml" >"$WORK/left"
        without_secrets "$WORK/wanted-$name.yaml" >"$WORK/right"
        diff -u "$WORK/left" "$WORK/right" >"$WORK/difference" || true
        lines=$(grep -c '^[-+][^-+]' "$WORK/difference" || true)
        log_lines <"$WORK/difference"
        [ "$DRY_RUN" = no ] || masked <"$WORK/difference"
        say release-differs "$name" "$(release_chart_version "$at")" "${RELEASE_CHART[at]##*/}" "$lines"
      else
        say release-new "$name" "${RELEASE_CHART[at]##*/}"
      fi
    done
  done
  [ "$changed" -eq 1 ] || say nothing-differs
}

release_chart_version() {
  "$HELM" list --namespace "$(release_namespace "$1")" --filter "^${RELEASE_NAME[$1]}\$" -o json 2>/dev/null |
    "$YQ" -p=json -o=yaml '.[0].chart // "-"'
}

charts_install() {
  local component at
  for component in $(plan_components); do
    metrics_server_is_chart "$component" || continue
    step step-component "$component" "${COMPONENT_VERSION[$component]}"
    manifests_apply "$component" before
    for at in $(plan_releases "$component"); do
      release_install "$at"
    done
    manifests_apply "$component" resources
  done
}

# POSITION
release_install() {
  local name=${RELEASE_NAME[$1]} namespace before extra=()
  namespace=$(release_namespace "$1")
  release_unlock "$1"
  if [ "$DRY_RUN" = yes ]; then
    release_render "$1" | without_secrets /dev/stdin || die render-failed "$name"
  elif release_unchanged "$1"; then
    say release-unchanged "$name"
    return 0
  fi
  before=$(release_revision "$1")
  # Its definitions may be here already, from the other mesh.
  [ "${RELEASE_COMPONENT[$1]}" != istio ] || extra+=(--take-ownership)
  release_arguments "$1"
  if run "$HELM" upgrade --install "${ARGUMENTS[@]}" --create-namespace --skip-crds --wait --timeout "$HELM_TIMEOUT" "${extra[@]}"; then
    return 0
  fi
  release_failures "$namespace"
  if [ "${before:-0}" -gt 0 ]; then
    warn release-rollback "$name" "$before"
    run "$HELM" rollback "$name" "$before" --namespace "$namespace" --wait --timeout "$HELM_TIMEOUT" ||
      die rollback-failed "$name" "$before"
    die release-rolled-back "$name" "$before"
  fi
  die release-failed "$name"
}

# NAMESPACE: the pods that are not ready with their last events, which say more than Helm.
release_failures() {
  local pod
  for pod in $(kubectl_ask -n "$1" get pods -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{range .status.conditions[?(@.type=="Ready")]}{.status}{end}{"\t"}{.status.phase}{"\n"}{end}' |
    awk -F'\t' '$2 != "True" && $3 != "Succeeded" { print $1 }'); do
    complain pod-not-ready "$1/$pod"
    { kubectl_ask -n "$1" get events --field-selector "involvedObject.name=$pod" --sort-by=.lastTimestamp \
      -o 'jsonpath={range .items[*]}    {.reason}: {.message}{"\n"}{end}' || true; } | tail -n 5 | masked >&2
  done
}
