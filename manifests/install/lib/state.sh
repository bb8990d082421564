# shellcheck shell=bash
# What is remembered: on this host which versions it got, and in the cluster which version is installed.

STATE=
RECORD=observability-bundle

state_open() {
  STATE=$INSTALL_ROOT/var/lib/observability
  [ "$DRY_RUN" = no ] || return 0
  mkdir -p -- "$STATE/backup"
  chmod 700 -- "$STATE"
  exec 9>"$STATE/lock"
  flock -n 9 || die already-running
}

# FILE NAME: keeps a copy of what is about to be edited, once for each content.
backup() {
  local copy
  copy=$STATE/backup/$2.$(sha256sum <"$1" | cut -c1-12)
  [ "$DRY_RUN" = no ] || return 0
  [ -e "$copy" ] || cp -p -- "$1" "$copy"
  say backed-up "$copy"
}

# OLD NEW: whether OLD is a higher version; 1.0.0-rc1 is lower than 1.0.0.
is_newer() {
  local highest
  [ "$1" != "$2" ] || return 1
  highest=$(printf '%s\n' "${1/-/\~}" "${2/-/\~}" | LC_ALL=C sort -V | tail -n 1)
  [ "$highest" = "${1/-/\~}" ]
}

# INSTALLED: ends where it is newer than this bundle.
refuse_downgrade() {
  if [ -n "$1" ] && is_newer "$1" "$BUNDLE_VERSION" && [ "$ALLOW_DOWNGRADE" = no ]; then
    die downgrade "$1" "$BUNDLE_VERSION"
  fi
}

# The versions whose images this host got, the newest last.
host_versions() {
  [ ! -r "$STATE/versions" ] || cat "$STATE/versions"
}

# Writes the version down, last, by rename.
host_remember() {
  [ "$DRY_RUN" = no ] || return 0
  {
    host_versions | awk -v own="$BUNDLE_VERSION" '$0 != own'
    printf '%s\n' "$BUNDLE_VERSION"
  } >"$STATE/versions.new"
  mv -f -- "$STATE/versions.new" "$STATE/versions"
}

# FIELD of the record.
cluster_record() {
  kubectl_ask -n "$NAMESPACE" get configmap "$RECORD" --ignore-not-found -o "jsonpath={.data.$1}"
}

# The version that the cluster has, empty where none is recorded.
cluster_version() {
  cluster_record version
}

# What was chosen once stays chosen: an upgrade that left it behind would take its images away.
choice_recall() {
  local name
  for name in ${ONLY//,/ }; do
    [[ $OPTIONAL != *" $name "* ]] || WITH+=,$name
  done
  WITH=$(printf '%s,' "$WITH" "$SITE_WITH" "$(cluster_record with)" | tr , '\n' | awk 'NF' | LC_ALL=C sort -u | paste -sd , -)
}

# LIST: writes the choice into the record, where there is one.
choice_write() {
  exists -n "$NAMESPACE" get configmap "$RECORD" && [ "$1" != "$(cluster_record with)" ] || return 0
  printf '{"data":{"with":"%s"}}\n' "$1" >"$WORK/record.json"
  run "${KUBECTL[@]}" -n "$NAMESPACE" patch configmap "$RECORD" --type=merge --patch-file "$WORK/record.json" ||
    die apply-failed "configmap $NAMESPACE/$RECORD"
}

# After `uninstall --only`.
choice_forget() {
  local name before left=''
  before=$(cluster_record with)
  for name in ${before//,/ }; do
    [[ ,$ONLY, == *",$name,"* ]] || left+=${left:+,}$name
  done
  choice_write "$left"
}

cluster_remember() {
  local previous
  previous=$(cluster_version)
  if [ "$previous" = "$BUNDLE_VERSION" ]; then
    previous=$(cluster_record previous)
  fi
  cat >"$WORK/record.yaml" <<EOF
apiVersion: v1
kind: ConfigMap
metadata:
  name: $RECORD
  namespace: $NAMESPACE
data:
  bundle: "$BUNDLE_NAME"
  version: "$BUNDLE_VERSION"
  previous: "$previous"
  profile: "$PROFILE"
  with: "$WITH"
EOF
  apply "$WORK/record.yaml"
}
