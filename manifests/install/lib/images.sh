# shellcheck shell=bash
# Images into the containerd of this host: imported, pinned so that no garbage collection takes what cannot be pulled
# again, and asked for afterwards.

CTR=()

# The ctr of the containerd that runs the pods here.
images_runtime() {
  CONTAINERD_SOCKET=${1:-$INSTALL_ROOT/run/containerd/containerd.sock}
  CTR=(ctr --address "$CONTAINERD_SOCKET" -n k8s.io)
  if [ -z "${1:-}" ] && command -v k3s >/dev/null; then
    CONTAINERD_SOCKET=$INSTALL_ROOT/run/k3s/containerd/containerd.sock
    CTR=(k3s ctr -n k8s.io)
  fi
}

containerd_root() {
  if command -v k3s >/dev/null; then
    printf '%s' "$INSTALL_ROOT/var/lib/rancher/k3s/agent/containerd"
  else
    printf '%s' "$INSTALL_ROOT/var/lib/containerd"
  fi
}

# What loading brings, in bytes: the blobs of those images of the profile that are not here yet, and where containerd
# cannot say, of all. A bundle without images has no blobs.
images_bytes() {
  local blobs=$HERE/blobs missing=()
  if [ ! -d "$blobs" ] || ! wanted images; then
    printf 0
    return
  fi
  if images_missing >"$WORK/missing" 2>/dev/null; then
    mapfile -t missing <"$WORK/missing"
    if [ ${#missing[@]} -eq 0 ]; then
      printf 0
      return
    fi
    ! images_layout "${missing[@]}" || blobs=$WORK/layout/blobs
  fi
  du -skL -- "$blobs" 2>/dev/null | awk '{ sum = $1 } END { printf "%.0f\n", sum * 1024 }'
}

# The images that containerd has with all their layers, one a line. A name alone says nothing: an import that fails in
# the middle leaves it behind.
images_present() {
  "${CTR[@]}" images check | awk 'NR > 1 && $4 == "complete" { print $1 }'
}

# The mark that tells which bundle an image came with; `bundler load` sets the same.
images_mark() {
  printf 'bundler.bundle/%s@%s' "$BUNDLE_NAME" "$1"
}

# Those of the profile that this containerd lacks.
images_missing() {
  images_present | LC_ALL=C sort -u >"$WORK/present" || return 1
  plan_images | LC_ALL=C comm -23 - "$WORK/present"
}

# Imports what is missing of the profile and pins all of it.
images_load() {
  local missing
  step step-images "$(plan_images | awk 'END { print NR }')"
  if [ -n "$BUNDLER" ]; then
    images_load_bundler || die images-failed
  else
    images_load_ctr
  fi
  [ "$DRY_RUN" = no ] || return 0
  missing=$(images_missing)
  [ -z "$missing" ] || die images-missing "$missing"
}

images_load_bundler() {
  local options=(--profile "$PROFILE" --address "$CONTAINERD_SOCKET" --into containerd)
  [ "$ALLOW_DOWNGRADE" = no ] || options+=(--allow-downgrade)
  run "$BUNDLER" load "${options[@]}" "$HERE"
}

images_load_ctr() {
  local image mark wanted=()
  images_present >"$WORK/present" || die containerd-unreachable "${CTR[*]}"
  images_missing >"$WORK/missing"
  mapfile -t wanted <"$WORK/missing"
  if [ ${#wanted[@]} -gt 0 ]; then
    images_layout "${wanted[@]}" || die images-incomplete "$(cat "$WORK/absent")"
    if [ "$DRY_RUN" = yes ]; then
      printf '+ tar … | %s\n' "$(quoted "${CTR[@]}" images import --platform "linux/$ARCH" -)"
    else
      tar -chf - -C "$WORK/layout" oci-layout index.json blobs 2>"$WORK/pipe.log" |
        images_import || {
        images_forget
        die images-failed
      }
    fi
  fi
  mark=$(images_mark "$BUNDLE_VERSION")
  # What was here before any bundle is pinned too, but bears no mark, so that no upgrade removes it.
  for image in $(plan_images); do
    if LC_ALL=C grep -qxF -- "$image" "$WORK/missing" || images_marked "$image"; then
      run "${CTR[@]}" images label "$image" io.cri-containerd.pinned=pinned "$mark=loaded" || die images-failed
    else
      run "${CTR[@]}" images label "$image" io.cri-containerd.pinned=pinned || die images-failed
    fi
  done
}

# Takes back the names that an import left without all their layers.
images_forget() {
  local image
  for image in $("${CTR[@]}" images check | awk 'NR > 1 && $4 != "complete" { print $1 }'); do
    if LC_ALL=C grep -qxF -- "$image" "$WORK/missing"; then
      run "${CTR[@]}" images rm "$image" || true
    fi
  done
}

images_import() {
  run "${CTR[@]}" images import --platform "linux/$ARCH" -
}

# IMAGE: whether an earlier bundle brought it.
images_marked() {
  local version
  for version in $(host_versions); do
    ! images_has "$1" "$version" || return 0
  done
  return 1
}

# IMAGE VERSION: whether the image came with that version of the bundle.
images_has() {
  [ -n "$("${CTR[@]}" images ls -q "name==\"$1\",labels.\"$(images_mark "$2")\"==loaded")" ]
}

# IMAGE…: an OCI layout of links with these images and only their blobs, so that nothing else is imported.
images_layout() {
  local digest queue=() next list
  rm -rf -- "$WORK/layout"
  mkdir -p "$WORK/layout/blobs/sha256"
  cp -- "$HERE/oci-layout" "$WORK/layout/"
  list=$(printf '%s\n' "$@")
  # shellcheck disable=SC2016
  LIST=$list "$YQ" -p=json -o=json '
    (strenv(LIST) | split("\n")) as $wanted |
    .manifests |= map(select(.annotations["io.containerd.image.name"] as $name | $wanted | any_c(. == $name)))
  ' "$HERE/index.json" >"$WORK/layout/index.json"
  "$YQ" -p=json -o=yaml '.manifests[].annotations["io.containerd.image.name"]' "$WORK/layout/index.json" |
    LC_ALL=C sort -u >"$WORK/named"
  printf '%s\n' "$@" | LC_ALL=C sort | LC_ALL=C comm -23 - "$WORK/named" >"$WORK/absent"
  [ ! -s "$WORK/absent" ] || return 1
  mapfile -t queue < <("$YQ" -p=json -o=yaml '.manifests[].digest' "$WORK/layout/index.json")
  while [ ${#queue[@]} -gt 0 ]; do
    digest=${queue[0]#sha256:}
    queue=("${queue[@]:1}")
    [ -n "$digest" ] || continue
    [ ! -e "$WORK/layout/blobs/sha256/$digest" ] || continue
    # Of an image for several architectures the bundle carries some; an index may name the others.
    [ -e "$HERE/blobs/sha256/$digest" ] || continue
    ln -s -- "$HERE/blobs/sha256/$digest" "$WORK/layout/blobs/sha256/$digest"
    # A document is small and begins with a brace; layers are neither.
    if [ "$(head -c 1 "$HERE/blobs/sha256/$digest")" = '{' ]; then
      next=$("$YQ" -p=json -o=yaml '[.manifests[].digest, .config.digest, .layers[].digest] | .[] | select(. != null)' \
        "$HERE/blobs/sha256/$digest" 2>/dev/null || true)
      mapfile -t -O "${#queue[@]}" queue <<<"$next"
    fi
  done
}

# Takes away what neither this version nor the one before needs.
images_prune() {
  local version image keep=() all=()
  mapfile -t all < <(host_versions)
  [ ${#all[@]} -gt 2 ] || return 0
  keep=("${all[@]: -2}")
  for version in "${all[@]:0:${#all[@]}-2}"; do
    step step-prune "$version"
    for image in $("${CTR[@]}" images ls -q "labels.\"$(images_mark "$version")\"==loaded"); do
      if images_has "$image" "${keep[0]}" || images_has "$image" "${keep[1]}"; then
        run "${CTR[@]}" images label "$image" "$(images_mark "$version")=" || warn prune-failed "$image"
      else
        run "${CTR[@]}" images rm "$image" || warn prune-failed "$image"
      fi
    done
  done
  [ "$DRY_RUN" = yes ] || printf '%s\n' "${keep[@]}" >"$STATE/versions"
}

# `./install.sh images`: for workers, which run pods of the stack but have no API server.
images_only() {
  state_open
  PROFILE=${PROFILE:-cloud}
  refuse_downgrade "$(host_versions | tail -n 1)"
  images_runtime
  images_load
  host_remember
  images_prune
  say done-images
}
