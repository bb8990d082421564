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

# POSITION: what Helm keeps of it as JSON: status, revision, values, manifests and hooks. Fails where there is none.
release_has() {
  "$HELM" status "${RELEASE_NAME[$1]}" --namespace "$(release_namespace "$1")" -o json 2>/dev/null
}

# POSITION: the status that Helm has for it, empty where it has none.
release_status() {
  release_has "$1" | "$YQ" -p=json -o=yaml '.info.status // ""' 2>/dev/null || true
}

release_revision() {
  { release_has "$1" || printf '{}'; } | "$YQ" -p=json -o=yaml '.version // 0'
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

# POSITION: what an installation would bring, as Helm would keep it. Charts may look up what the cluster has.
release_wanted() {
  release_arguments "$1"
  "$HELM" upgrade --install "${ARGUMENTS[@]}" --skip-crds --dry-run=server -o json 2>>"${LOG:-/dev/null}"
}

# What is in Secrets does not count: charts make up passwords anew at each render. What is given does, as values.
WITHOUT_SECRETS='(select(.kind == "Secret") | (.data, .stringData) | select(. != null) | .[]) = "***"'

without_secrets() {
  "$YQ" "$WITHOUT_SECRETS" "$1" | masked
}

# FILE: its objects, one a line.
objects_of() {
  "$YQ" -o=json -I=0 "select(. != null) | $WITHOUT_SECRETS | sort_keys(..)" "$1" | LC_ALL=C sort
}

# FILE: which objects these are.
names_of() {
  "$YQ" -p=json -o=yaml '[.apiVersion, .kind, .metadata.namespace // "", .metadata.name] | join(" ")' "$1"
}

# POSITION: writes down the manifests that it has, and those that it is to have. Fails where it has none.
release_compare() {
  local name=${RELEASE_NAME[$1]}
  release_has "$1" >"$WORK/has.json" || return 1
  release_wanted "$1" >"$WORK/wanted.json" || printf '{}\n' >"$WORK/wanted.json"
  "$YQ" -p=json -o=yaml '.manifest // ""' "$WORK/has.json" >"$WORK/has-$name.yaml"
  if ! "$YQ" -p=json -o=yaml -e .manifest "$WORK/wanted.json" >"$WORK/wanted-$name.yaml" 2>/dev/null; then
    # Its definitions may be newer than the cluster's, which come later.
    release_render "$1" --skip-crds --no-hooks >"$WORK/wanted-$name.yaml"
  fi
}

# POSITION: whether it is deployed as it would be now, with all its objects there.
release_unchanged() {
  local name=${RELEASE_NAME[$1]} part given='{"values": .config // {}, "hooks": [(.hooks // [])[].manifest]} | sort_keys(..)'
  release_compare "$1" || return 1
  [ "$("$YQ" -p=json -o=yaml '.info.status // ""' "$WORK/has.json")" = deployed ] || return 1
  for part in has wanted; do
    "$YQ" -p=json -o=json "$given" "$WORK/$part.json" >"$WORK/$part.given"
    objects_of "$WORK/$part-$name.yaml" >"$WORK/$part.objects"
  done
  cmp -s "$WORK/has.given" "$WORK/wanted.given" || return 1
  cmp -s "$WORK/has.objects" "$WORK/wanted.objects" || release_same "$1" || return 1
  kubectl_of "$(release_namespace "$1")" "$WORK/has.objects" get -o name
}

# POSITION: whether all that the manifests say otherwise is so in the cluster already. A chart that looks up what it
# made, such as the volume that its claim got, renders more the second time, and an upgrade would change nothing. The
# server tells, by trying what Helm would apply, which it can where Helm applied the fields on the server before.
release_same() {
  [ "$("$YQ" -p=json -o=yaml '.apply_method // ""' "$WORK/has.json")" = ssa ] || return 1
  cmp -s <(names_of "$WORK/has.objects" | LC_ALL=C sort) <(names_of "$WORK/wanted.objects" | LC_ALL=C sort) || return 1
  # Helm marks what it applies as its own.
  LC_ALL=C comm -13 "$WORK/has.objects" "$WORK/wanted.objects" |
    NAME=${RELEASE_NAME[$1]} NAMESPACE=$(release_namespace "$1") "$YQ" -p=json -o=json -I=0 '
      .metadata.labels["app.kubernetes.io/managed-by"] = "Helm" |
      .metadata.annotations["meta.helm.sh/release-name"] = strenv(NAME) |
      .metadata.annotations["meta.helm.sh/release-namespace"] = strenv(NAMESPACE)' >"$WORK/otherwise"
  # What these hold was left out above, so it cannot be tried.
  [ "$("$YQ" -p=json -o=yaml 'select(.kind == "Secret") | .kind' "$WORK/otherwise")" = '' ] || return 1
  kubectl_of "$(release_namespace "$1")" "$WORK/otherwise" diff --server-side --force-conflicts --field-manager=helm
}

# NAMESPACE FILE ARGUMENT…: whether kubectl says yes of the objects in FILE, one a line. It takes no namespace beside
# objects of another one.
kubectl_of() {
  local namespace=$1
  NAMESPACE=$namespace "$YQ" -p=json -o=json -I=0 'select((.metadata.namespace // strenv(NAMESPACE)) == strenv(NAMESPACE))' "$2" >"$WORK/here"
  NAMESPACE=$namespace "$YQ" -p=json -o=json -I=0 'select((.metadata.namespace // strenv(NAMESPACE)) != strenv(NAMESPACE))' "$2" >"$WORK/elsewhere"
  shift 2
  if [ -s "$WORK/here" ]; then
    kubectl_ask -n "$namespace" "$@" -f "$WORK/here" >/dev/null 2>&1 || return 1
  fi
  if [ -s "$WORK/elsewhere" ]; then
    kubectl_ask "$@" -f "$WORK/elsewhere" >/dev/null 2>&1 || return 1
  fi
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
  # Its definitions may be here already, from the other mesh, and then they are not Helm's.
  [ "${RELEASE_COMPONENT[$1]}" != istio ] || extra+=(--take-ownership --force-conflicts)
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
