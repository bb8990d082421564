# shellcheck shell=bash
# `./install.sh uninstall`: in reverse order, only what is ours. Volumes, definitions, settings of KubeEdge and images
# stay unless they are named.

uninstall_all() {
  if [ ${#KUBECTL[@]} -eq 0 ] || [ "$PROFILE" = edge ]; then
    uninstall_edge
    return 0
  fi
  tools_cluster
  state_open
  NAMESPACE=${NAMESPACE:-monitoring}
  PROFILE=${PROFILE:-cloud}
  confirm confirm-uninstall "$NAMESPACE"
  uninstall_components
  if [ -n "$ONLY" ]; then
    choice_forget
  else
    uninstall_own
  fi
  uninstall_stays
}

uninstall_components() {
  local component at ats=() order=() at_last
  # What was installed may be more than what the settings select now.
  mapfile -t order < <(WITH=${OPTIONAL// /,} plan_components)
  for ((at_last = ${#order[@]} - 1; at_last >= 0; at_last--)); do
    component=${order[at_last]}
    manifests_delete "$component" resources
    mapfile -t ats < <(plan_releases "$component" | LC_ALL=C sort -rn)
    for at in "${ats[@]}"; do
      release_remove "$at"
    done
    manifests_delete "$component" before
  done
}

# POSITION
release_remove() {
  local name=${RELEASE_NAME[$1]} namespace
  namespace=$(release_namespace "$1")
  [ -n "$(release_status "$1")" ] || return 0
  step step-remove "$name"
  [ "$PURGE" = yes ] || volumes_keep "$name" "$namespace"
  run "$HELM" uninstall "$name" --namespace "$namespace" --wait --timeout "$HELM_TIMEOUT" || die remove-failed "$name"
}

# RELEASE NAMESPACE: claims that the chart made itself go with it; their volumes are told to stay.
volumes_keep() {
  local claim volume
  "$HELM" get manifest "$1" --namespace "$2" >"$WORK/manifest.yaml" || die remove-failed "$1"
  for claim in $("$YQ" 'select(.kind == "PersistentVolumeClaim") | .metadata.name' "$WORK/manifest.yaml" | sed '/^---$/d'); do
    volume=$(kubectl_ask -n "$2" get persistentvolumeclaim "$claim" --ignore-not-found -o 'jsonpath={.spec.volumeName}')
    [ -n "$volume" ] || continue
    run "${KUBECTL[@]}" patch persistentvolume "$volume" --type=merge -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}' ||
      die remove-failed "$1"
    say volume-kept "$claim" "$volume"
  done
}

# COMPONENT before|resources
manifests_delete() {
  local file
  [ -d "$HERE/components/$1/$2" ] || return 0
  while read -r file; do
    file=$(component_file "$1" "${file#"$HERE/components/$1/"}")
    # Where the definition of a kind is gone, its objects are gone too.
    if [ "$DRY_RUN" = yes ] || "${KUBECTL[@]}" delete --ignore-not-found --wait=false --dry-run=client -f "$file" >"$WORK/output" 2>&1 ||
      ! grep -q 'no matches for kind' "$WORK/output"; then
      run "${KUBECTL[@]}" delete --ignore-not-found --wait=false -f "$file" || warn remove-failed "components/$1/$2"
    fi
  done < <(find "$HERE/components/$1/$2" -type f \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) | LC_ALL=C sort -r)
}

# What the installer itself made, by name; what carries the certificates' CA stays with the volumes.
uninstall_own() {
  local name
  run "${KUBECTL[@]}" -n "$NAMESPACE" delete --ignore-not-found configmap "$RECORD" || warn remove-failed "$RECORD"
  if [ "$PURGE" = yes ]; then
    run "${KUBECTL[@]}" -n "$NAMESPACE" delete --ignore-not-found secret \
      observability-tls observability-ca-key basic-auth-push observability-logins observability-users grafana-admin edge-push alert-channels || true
    run "${KUBECTL[@]}" -n "$NAMESPACE" delete --ignore-not-found configmap observability-ca || true
    run "${KUBECTL[@]}" -n "$NAMESPACE" delete --ignore-not-found persistentvolumeclaim --all || true
    run "${KUBECTL[@]}" -n kubeedge delete --ignore-not-found secret edgemesh-psk || true
    for name in $(kubectl_ask get namespaces -l app.kubernetes.io/managed-by=observability-installer -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}'); do
      [ "$name" = kubeedge ] || [ "$name" = kube-system ] || run "${KUBECTL[@]}" delete --ignore-not-found --wait=false namespace "$name" || true
    done
  fi
  if [ "$PURGE_CRDS" = yes ]; then
    crds_remove
  fi
}

# Definitions go with every object of them, whoever made it.
crds_remove() {
  local component at
  for component in $(WITH=${OPTIONAL// /,} plan_components); do
    for at in $(plan_releases "$component"); do
      crds_of "$at" >"$WORK/crds.yaml" || die render-failed "${RELEASE_NAME[at]}"
      [ ! -s "$WORK/crds.yaml" ] || run "${KUBECTL[@]}" delete --ignore-not-found --wait=false -f "$WORK/crds.yaml" || warn remove-failed crds
    done
  done
}

uninstall_stays() {
  [ "$PURGE" = yes ] || say stays-volumes "$NAMESPACE"
  [ "$PURGE_CRDS" = yes ] || say stays-crds
  say stays-kubeedge
  say stays-images "$(images_mark "$BUNDLE_VERSION")"
}

# On an edge: our images lose their pins and go; edgecore keeps its settings, which harm nobody.
uninstall_edge() {
  local image version
  state_open
  PROFILE=${PROFILE:-edge}
  edge_runtime
  confirm confirm-uninstall-edge
  for version in $(host_versions); do
    for image in $("${CTR[@]}" images ls -q "labels.\"$(images_mark "$version")\"==loaded"); do
      run "${CTR[@]}" images rm "$image" || warn prune-failed "$image"
    done
  done
  run rm -f -- "$STATE/versions"
  say stays-edge "$INSTALL_ROOT$EDGECORE_CONFIG" "$STATE/backup"
}
