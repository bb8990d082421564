# `install.sh edge`: images, settings of edgecore, health; offline, twice, and with each program failing.
# shellcheck disable=SC2030,SC2031
load setup

config() { printf '%s/etc/kubeedge/config/edgecore.yaml' "$INSTALL_ROOT"; }

# The edge's kubelet on a free port, which edgecore.yaml names.
kubelet() {
  mkdir -p "$BATS_TEST_TMPDIR/kubelet/metrics"
  printf ok >"$BATS_TEST_TMPDIR/kubelet/healthz"
  printf 'container_cpu_usage_seconds_total 1\n' >"$BATS_TEST_TMPDIR/kubelet/metrics/cadvisor"
  python3 -c '
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
handler.log_message = lambda *_: None
server = http.server.HTTPServer(("127.0.0.1", 0), handler)
open(sys.argv[2], "w").write(str(server.server_port))
server.serve_forever()' "$BATS_TEST_TMPDIR/kubelet" "$BATS_TEST_TMPDIR/port" 2>/dev/null 3>&- &
  KUBELET=$!
  while [ ! -s "$BATS_TEST_TMPDIR/port" ]; do kill -0 "$KUBELET" && sleep 0.02; done
  "$REAL_YQ" -i ".modules.edged.tailoredKubeletConfig.readOnlyPort = $(cat "$BATS_TEST_TMPDIR/port")" "$(config)"
}

teardown() {
  [ -z "${KUBELET:-}" ] || kill "$KUBELET"
}

edge() {
  edge_node "${1:-}"
  kubelet
  printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n    sandbox_image = "registry.k8s.io/pause:3.6"\n' >"$FAKE/answer-containerd"
  : >"$FAKE/images"
}

@test "an edge that joined gets images, settings, a directory and a restart" {
  edge
  install edge
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  calls "ctr --address $INSTALL_ROOT/run/containerd/containerd.sock -n k8s.io images import --platform linux/amd64 -"
  calls 'systemctl restart edgecore'
  [ -d "$INSTALL_ROOT/var/lib/fluent-bit" ]
  [ "$("$REAL_YQ" .modules.edgeStream.enable "$(config)")" = true ]
  [ "$("$REAL_YQ" .modules.edgeStream.server "$(config)")" = 192.0.2.2:10004 ]
  absent kubectl "$FAKE/calls"
  # The old file is kept.
  [ "$(find "$INSTALL_ROOT/var/lib/observability/backup" -name 'edgecore.yaml.*' | wc -l)" -eq 1 ]
}

# KIBIBYTES: what the disk has.
free() {
  printf '#!/bin/sh\necho Filesystem 1024-blocks Used Available\necho disk 9 9 %s\n' "$1" >"$BATS_TEST_TMPDIR/bin/df"
  chmod 755 "$BATS_TEST_TMPDIR/bin/df"
}

@test "what is to be loaded has to fit; what is here already, or for others, takes nothing" {
  edge
  head -c 5000000 /dev/zero >"$bundle/blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000"
  seal "$bundle"
  free 1
  install edge
  [ "$status" -eq 1 ]
  says 'free some space'
  free 1000
  install edge
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  free 0
  install edge
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  : >"$FAKE/images"
  install edge --skip images
  [ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "a second run restarts nothing" {
  edge v1.22.2
  install edge
  [ "$status" -eq 0 ]
  cp "$(config)" "$BATS_TEST_TMPDIR/config"
  : >"$FAKE/calls"
  install edge
  [ "$status" -eq 0 ]
  absent -E 'restart|images import' "$FAKE/calls"
  cmp "$(config)" "$BATS_TEST_TMPDIR/config"
}

@test "only the edge's images are imported, each with its layers and pinned" {
  edge
  install edge
  [ "$("$REAL_YQ" -p=json -o=yaml '.manifests | length' "$FAKE/imported/index.json")" = 2 ]
  [ "$(find "$FAKE/imported/blobs/sha256" -type f | wc -l)" -eq 6 ]
  absent 'example/stack' "$FAKE/images"
  grep -q '^docker.io/example/agent:1 .*io.cri-containerd.pinned=pinned' "$FAKE/images"
  grep -q 'bundler.bundle/observability@1.0.0=loaded' "$FAKE/images"
}

@test "containerd's own sandbox image is made of the one that is carried" {
  edge
  install edge
  calls 'images tag docker.io/kubeedge/pause:3.6 registry.k8s.io/pause:3.6'
  grep -q '^registry.k8s.io/pause:3.6 .*pinned' "$FAKE/images"
}

@test "containerd without its CRI is told before anything is changed" {
  edge
  printf 'disabled_plugins = ["cri"]\n' >"$FAKE/answer-containerd"
  install edge
  [ "$status" -eq 1 ]
  says 'take "cri" out of disabled_plugins'
  absent -E 'import|restart' "$FAKE/calls"
}

@test "cgroups that two keep differently are told" {
  edge
  printf 'SystemdCgroup = true\n' >"$FAKE/answer-containerd"
  install edge
  [ "$status" -eq 1 ]
  says "edgecore keeps cgroups with cgroupfs and containerd with systemd"
}

@test "the cloud that cannot be reached is a warning" {
  edge
  "$REAL_YQ" -i '.modules.edgeHub.websocket.server = "127.0.0.1:10000"' "$(config)"
  install edge
  [ "$status" -eq 0 ]
  says "127.0.0.1:10004 is not reachable now"
}

@test "each program that fails ends the run, and the next one goes on" {
  edge
  for failing in 'images check' 'images import' 'images label' 'images tag' 'systemctl restart' 'systemctl is-active'; do
    printf '%s\n' "$failing" >"$FAKE/fail"
    install edge
    [ "$status" -eq 1 ] || { echo "$failing: $status"; echo "$output"; false; }
    [ ! -e "$INSTALL_ROOT/var/lib/observability/versions" ]
  done
  : >"$FAKE/fail"
  install edge
  [ "$status" -eq 0 ]
  [ "$(cat "$INSTALL_ROOT/var/lib/observability/versions")" = 1.0.0 ]
}

@test "edgecore that does not come up is told with the way back" {
  edge
  rm "$BATS_TEST_TMPDIR/kubelet/healthz"
  install edge
  [ "$status" -eq 1 ]
  says "does not answer on 127.0.0.1:10350"
  says "backup"
}

@test "a node that never joined wants to know how" {
  install edge
  [ "$status" -eq 1 ]
  says "CLOUD_ADDRESS"
  mkdir -p "$INSTALL_ROOT/etc/observability"
  printf 'CLOUD_ADDRESS=192.0.2.2\nEDGE_NODE_NAME=edge-7\n' >"$INSTALL_ROOT/etc/observability/site.env"
  install edge
  [ "$status" -eq 1 ]
  says "--join-token-file"
}

@test "a node joins with every setting at once, and its token is shown to nobody" {
  mkdir -p "$INSTALL_ROOT/etc/observability"
  printf 'CLOUD_ADDRESS=192.0.2.2\nEDGE_NODE_NAME=edge-7\nEDGE_CGROUP_DRIVER=cgroupfs\n' >"$INSTALL_ROOT/etc/observability/site.env"
  printf 'cahash.jwt-token-of-this-site' >"$BATS_TEST_TMPDIR/token"
  # What keadm leaves behind.
  cat >"$BATS_TEST_TMPDIR/bin/keadm" <<'EOF'
#!/usr/bin/env bash
printf 'keadm %s\n' "$*" >>"$FAKE/joined"
mkdir -p "$INSTALL_ROOT/etc/kubeedge/config"
cp "$SAMPLE" "$INSTALL_ROOT/etc/kubeedge/config/edgecore.yaml"
echo "joining with $*"
EOF
  chmod 755 "$BATS_TEST_TMPDIR/bin/keadm"
  edge_node && kubelet && mv "$(config)" "$BATS_TEST_TMPDIR/sample.yaml" && export SAMPLE=$BATS_TEST_TMPDIR/sample.yaml
  install edge --join-token-file "$BATS_TEST_TMPDIR/token" --log "$BATS_TEST_TMPDIR/log"
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  line=$(cat "$FAKE/joined")
  [[ $line == *'join --cloudcore-ipport=192.0.2.2:10000 --edgenode-name=edge-7'* ]]
  [[ $line == *'modules.edgeStream.enable=true,modules.metaManager.metaServer.enable=true,modules.edged.reportEvent=true'* ]]
  [[ $line == *'--set modules.edged.tailoredKubeletConfig.clusterDNS={"169.254.96.16"}'* ]]
  absent jwt-token-of-this-site "$BATS_TEST_TMPDIR/log"
  [[ $output != *jwt-token-of-this-site* ]]
}

@test "an upgrade removes what neither this version nor the one before needs" {
  edge
  for version in 1.0.0 1.1.0 1.2.0; do
    make_bundle "$BATS_TEST_TMPDIR/b$version" "$version"
    sed -i "s,docker.io/example/agent:1,docker.io/example/agent:$version," "$BATS_TEST_TMPDIR/b$version/lib/plan.tsv" "$BATS_TEST_TMPDIR/b$version/index.json"
    seal "$BATS_TEST_TMPDIR/b$version"
    bundle=$BATS_TEST_TMPDIR/b$version
    install edge
    [ "$status" -eq 0 ] || { echo "$output"; false; }
  done
  absent 'agent:1.0.0' "$FAKE/images"
  grep -q 'agent:1.1.0' "$FAKE/images"
  grep -q 'agent:1.2.0' "$FAKE/images"
  grep -q 'pause:3.6' "$FAKE/images"
  [ "$(tr '\n' ' ' <"$INSTALL_ROOT/var/lib/observability/versions")" = "1.1.0 1.2.0 " ]
}

@test "an older bundle is refused on an edge too" {
  edge
  mkdir -p "$INSTALL_ROOT/var/lib/observability" && printf '2.0.0\n' >"$INSTALL_ROOT/var/lib/observability/versions"
  install edge
  [ "$status" -eq 1 ]
  says "version 2.0.0 is installed"
}

@test "an image that the bundle lacks is named before anything is imported" {
  edge
  printf 'image\tagent\tdocker.io/example/forgotten:2\n' >>"$bundle/lib/plan.tsv" && seal "$bundle"
  install edge
  [ "$status" -eq 1 ]
  says docker.io/example/forgotten:2
  absent 'images import' "$FAKE/calls"
}

@test "workers get the cloud's images alone" {
  rm -f "$FAKE/images" && : >"$FAKE/images"
  printf 'docker.io/kubeedge/iptables-manager:v1.23.1\ndocker.io/kubeedge/iptables-manager-nft:v1.23.1\n' >"$FAKE/images"
  install images
  [ "$status" -eq 0 ]
  grep -q 'example/stack' "$FAKE/images"
  absent -E 'kubectl|helm (upgrade|template)|systemctl' "$FAKE/calls"
}

@test "a dry run on an edge shows the difference and changes nothing" {
  edge
  cp "$(config)" "$BATS_TEST_TMPDIR/config"
  install edge --dry-run
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  says "+    reportEvent: true"
  says "+ systemctl restart edgecore"
  cmp "$(config)" "$BATS_TEST_TMPDIR/config"
  absent -E 'import|restart|label' "$FAKE/calls"
}

@test "verify on an edge tells each point" {
  edge
  install edge
  printf 'LISTEN 0 4096 127.0.0.1:10350 0.0.0.0:*\n' >"$FAKE/answer-ss"
  install verify --profile edge
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  says "PASS  settings"
  says "PASS  closed"
  "$REAL_YQ" -i '.modules.edged.reportEvent = false' "$(config)"
  printf 'LISTEN 0 4096 0.0.0.0:10350 0.0.0.0:*\n' >"$FAKE/answer-ss"
  install verify --profile edge
  [ "$status" -eq 1 ]
  says "FAIL  settings"
}

@test "uninstalling an edge takes our images and leaves its settings" {
  edge
  install edge
  printf 'docker.io/somebody/else:1\n' >>"$FAKE/images"
  cp "$(config)" "$BATS_TEST_TMPDIR/config"
  install uninstall --profile edge --yes
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  absent -E 'example/agent|kubeedge/pause' "$FAKE/images"
  grep -q somebody/else "$FAKE/images"
  cmp "$(config)" "$BATS_TEST_TMPDIR/config"
}
