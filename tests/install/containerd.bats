# Images into a real containerd with a root and a socket of its own.
load setup

teardown() {
  if [ -n "${CONTAINERD:-}" ]; then
    kill "$CONTAINERD"
    wait "$CONTAINERD" || true
  fi
}

containerd_or_skip() {
  local real=$BATS_TEST_TMPDIR/containerd socket=$INSTALL_ROOT/run/containerd/containerd.sock
  PATH=${PATH#*"$STUBS":}
  [ "$(id -u)" -eq 0 ] && command -v containerd ctr >/dev/null || without "containerd needs root"
  mkdir -p "$real" "${socket%/*}"
  printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >"$real/config.toml"
  containerd --config "$real/config.toml" --root "$real/root" --state "$real/state" --address "$socket" >"$real/log" 2>&1 3>&- &
  CONTAINERD=$!
  for _ in $(seq 200); do
    ! ctr --address "$socket" version >/dev/null 2>&1 || return 0
    kill -0 "$CONTAINERD"
    sleep 0.05
  done
  cat "$real/log"
  return 1
}

ctr_() { ctr --address "$INSTALL_ROOT/run/containerd/containerd.sock" -n k8s.io "$@"; }

# BUNDLE REFERENCE TEXT: an image whose one layer has a file with the text.
real_image() {
  local bundle=$1 layer config manifest directory=$BATS_TEST_TMPDIR/layer
  mkdir -p "$directory" && printf '%s' "$3" >"$directory/file"
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$BATS_TEST_TMPDIR/layer.tar" -C "$directory" file
  layer=$(sha256sum <"$BATS_TEST_TMPDIR/layer.tar" | cut -c1-64)
  cp "$BATS_TEST_TMPDIR/layer.tar" "$bundle/blobs/sha256/$layer"
  config=$(blob "$bundle" "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$layer\"]}}")
  manifest=$(blob "$bundle" "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$config\",\"size\":$(stat -c %s "$bundle/blobs/sha256/$config")},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:$layer\",\"size\":$(stat -c %s "$bundle/blobs/sha256/$layer")}]}")
  MANIFESTS+="${MANIFESTS:+,}{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$manifest\",\"size\":$(stat -c %s "$bundle/blobs/sha256/$manifest"),\"annotations\":{\"io.containerd.image.name\":\"$2\",\"org.opencontainers.image.ref.name\":\"$2\"}}"
}

# BUNDLE REFERENCE…: only these images are in it, as the plan's component `agent` of the profile `edge`.
real_bundle() {
  local bundle=$1 image
  shift
  MANIFESTS=
  rm -rf "$bundle/blobs" && mkdir -p "$bundle/blobs/sha256"
  sed -i '/^image/d' "$bundle/lib/plan.tsv"
  for image in "$@"; do
    real_image "$bundle" "$image" "content of $image"
    printf 'image\tagent\t%s\n' "$image" >>"$bundle/lib/plan.tsv"
  done
  printf '{"schemaVersion":2,"manifests":[%s]}' "$MANIFESTS" >"$bundle/index.json"
  seal "$bundle"
}

images() {
  run bash "$1/install.sh" images --profile edge </dev/null
  [ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "what is imported is pinned, whole, and stays after a garbage collection" {
  containerd_or_skip
  real_bundle "$bundle" docker.io/example/one:1 docker.io/example/two:2
  images "$bundle"
  [ "$(ctr_ images ls -q | tr '\n' ' ')" = "docker.io/example/one:1 docker.io/example/two:2 " ]
  [ "$(ctr_ images ls -q 'labels."io.cri-containerd.pinned"==pinned' | wc -l)" -eq 2 ]
  ctr_ content prune references >/dev/null
  [ "$(ctr_ images check | grep -c complete)" -eq 2 ]
}

@test "a second import sends nothing, and an image that was there before keeps its place" {
  containerd_or_skip
  real_bundle "$bundle" docker.io/example/one:1 docker.io/example/two:2
  tar -cf - -C "$bundle" oci-layout index.json blobs | ctr_ images import --platform linux/amd64 - >/dev/null
  ctr_ images rm docker.io/example/two:2 >/dev/null
  images "$bundle"
  # Only what the bundle brought bears its mark.
  [ "$(ctr_ images ls -q 'labels."bundler.bundle/observability@1.0.0"==loaded')" = docker.io/example/two:2 ]
  images "$bundle"
  absent 'images import' <(tail -n 3 "$INSTALL_ROOT/var/log/observability-install.log")
}

@test "after two upgrades only the images of the last two versions are there" {
  containerd_or_skip
  for version in 1.0.0 1.1.0 1.2.0; do
    make_bundle "$BATS_TEST_TMPDIR/b$version" "$version"
    real_bundle "$BATS_TEST_TMPDIR/b$version" docker.io/example/same:1 "docker.io/example/agent:$version"
    images "$BATS_TEST_TMPDIR/b$version"
  done
  [ "$(ctr_ images ls -q | tr '\n' ' ')" = "docker.io/example/agent:1.1.0 docker.io/example/agent:1.2.0 docker.io/example/same:1 " ]
  ctr_ content prune references >/dev/null
  [ "$(ctr_ images check | grep -c complete)" -eq 3 ]
}

@test "a blob that was changed is refused" {
  containerd_or_skip
  real_bundle "$bundle" docker.io/example/one:1
  for blob in "$bundle"/blobs/sha256/*; do
    [ "$(head -c 1 "$blob")" = '{' ] || printf 'x' | dd of="$blob" bs=1 seek=600 conv=notrunc status=none
  done
  # Even with checksums that somebody made to fit.
  seal "$bundle"
  run bash "$bundle/install.sh" images --profile edge </dev/null
  [ "$status" -eq 1 ]
  [ -z "$(ctr_ images ls -q)" ]
}
