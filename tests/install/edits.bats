# edgecore.yaml and cloudcore.yaml: the keys that the stack needs, and every other one as it was.
load setup

edit() {
  bash -c '
    set -euo pipefail
    HERE=$1
    for part in log args plan tools trust site state report kube charts edgecore cloudcore; do . "$HERE/lib/$part.sh"; done
    YQ=$2
    language_load && plan_load && COMMAND=edge && DRY_RUN=no && log_open && SITE_FILE=$4 && site_load
    "$3"' _ "$bundle" "$REAL_YQ" "$1" "${2:-$bundle/site.env}"
}

# FILE FILE PATH…: equal but for these paths.
equal_but() {
  local path expression='.'
  for path in "${@:3}"; do
    expression+=" | del($path)"
  done
  diff <("$REAL_YQ" "sort_keys(..) | $expression" "$1") <("$REAL_YQ" "sort_keys(..) | $expression" "$2")
}

edgecore_keys=(
  .modules.edgeStream.enable .modules.edgeStream.server .modules.metaManager.metaServer.enable .modules.edged.reportEvent
  .modules.edged.tailoredKubeletConfig.containerLogMaxSize .modules.edged.tailoredKubeletConfig.containerLogMaxFiles
  .modules.edged.tailoredKubeletConfig.clusterDNS
)

edgecore_is_right() {
  [ "$("$REAL_YQ" '[.modules.edgeStream.enable, .modules.metaManager.metaServer.enable, .modules.edged.reportEvent] | join(" ")' "$1")" = "true true true" ]
  [ "$("$REAL_YQ" '.modules.edgeStream.server' "$1")" = "$2" ]
  [ "$("$REAL_YQ" '.modules.edged.tailoredKubeletConfig.clusterDNS[0]' "$1")" = 169.254.96.16 ]
  [ "$("$REAL_YQ" '.modules.edged.tailoredKubeletConfig.address' "$1")" = 127.0.0.1 ]
  [ "$("$REAL_YQ" '.modules.edged.tailoredKubeletConfig.containerLogMaxFiles | tag' "$1")" = '!!int' ]
}

@test "edgecore's complete defaults of 1.22 and 1.23 keep every other key" {
  for version in v1.22.2 v1.23.1; do
    file=$BATS_TEST_DIRNAME/edgecore-$version.yaml
    edit edgecore_edit <"$file" >"$BATS_TEST_TMPDIR/out.yaml"
    edgecore_is_right "$BATS_TEST_TMPDIR/out.yaml" 192.0.2.2:10004
    equal_but "$file" "$BATS_TEST_TMPDIR/out.yaml" "${edgecore_keys[@]}"
  done
}

@test "a second edit of edgecore changes nothing" {
  edit edgecore_edit <"$BATS_TEST_DIRNAME/edgecore-v1.23.1.yaml" >"$BATS_TEST_TMPDIR/one"
  edit edgecore_edit <"$BATS_TEST_TMPDIR/one" >"$BATS_TEST_TMPDIR/two"
  cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
}

@test "a resolver at the wrong level, which edgecore never reads, is moved" {
  "$REAL_YQ" '.modules.edged.clusterDNS = ["169.254.96.16"]' "$BATS_TEST_DIRNAME/edgecore-v1.22.2.yaml" >"$BATS_TEST_TMPDIR/in"
  edit edgecore_edit <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
  [ "$("$REAL_YQ" '.modules.edged | has("clusterDNS")' "$BATS_TEST_TMPDIR/out")" = false ]
  edgecore_is_right "$BATS_TEST_TMPDIR/out" 192.0.2.2:10004
}

@test "a kubelet that was opened is closed" {
  "$REAL_YQ" '.modules.edged.tailoredKubeletConfig.address = "0.0.0.0"' "$BATS_TEST_DIRNAME/edgecore-v1.23.1.yaml" >"$BATS_TEST_TMPDIR/in"
  edit edgecore_edit <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
  [ "$("$REAL_YQ" .modules.edged.tailoredKubeletConfig.address "$BATS_TEST_TMPDIR/out")" = 127.0.0.1 ]
}

@test "a site without EdgeMesh keeps its resolver, and comments stay" {
  printf 'EDGE_CLUSTER_DNS=none\nCLOUD_ADDRESS=cloud.example.org\nEDGE_LOG_SIZE=20Mi\n' >"$BATS_TEST_TMPDIR/site"
  { echo '# written by hand'; cat "$BATS_TEST_DIRNAME/edgecore-v1.23.1.yaml"; } >"$BATS_TEST_TMPDIR/in"
  edit edgecore_edit "$BATS_TEST_TMPDIR/site" <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
  [ "$("$REAL_YQ" '.modules.edged.tailoredKubeletConfig | has("clusterDNS")' "$BATS_TEST_TMPDIR/out")" = false ]
  [ "$("$REAL_YQ" .modules.edgeStream.server "$BATS_TEST_TMPDIR/out")" = cloud.example.org:10004 ]
  [ "$("$REAL_YQ" .modules.edged.tailoredKubeletConfig.containerLogMaxSize "$BATS_TEST_TMPDIR/out")" = 20Mi ]
  grep -q '# written by hand' "$BATS_TEST_TMPDIR/out"
}

@test "cloudcore's complete defaults of 1.22 and 1.23 keep every other key" {
  for version in v1.22.2 v1.23.1; do
    file=$BATS_TEST_DIRNAME/cloudcore-$version.yaml
    edit cloudcore_edit <"$file" >"$BATS_TEST_TMPDIR/out"
    [ "$("$REAL_YQ" .commonConfig.monitorServer.bindAddress "$BATS_TEST_TMPDIR/out")" = 0.0.0.0:9091 ]
    [ "$("$REAL_YQ" .modules.cloudStream.enable "$BATS_TEST_TMPDIR/out")" = true ]
    equal_but "$file" "$BATS_TEST_TMPDIR/out" .commonConfig.monitorServer.bindAddress .modules.cloudStream.enable
  done
}

@test "the short text of cloudcore's chart keeps every other key" {
  kubeedge
  "$REAL_YQ" '.data["cloudcore.yaml"]' "$FAKE/objects/kubeedge.configmap.cloudcore" >"$BATS_TEST_TMPDIR/in"
  edit cloudcore_edit <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
  [ "$("$REAL_YQ" .commonConfig.monitorServer.bindAddress "$BATS_TEST_TMPDIR/out")" = 0.0.0.0:9091 ]
  equal_but "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out" .commonConfig
  # The defect of the earlier script: replacing the whole text made two managers of one chain.
  [ "$("$REAL_YQ" .modules.iptablesManager.mode "$BATS_TEST_TMPDIR/out")" = external ]
}

@test "what is no YAML is left alone" {
  edge_node
  printf 'modules: [\n' >"$INSTALL_ROOT/etc/kubeedge/config/edgecore.yaml"
  printf 'docker.io/example/agent:1\ndocker.io/kubeedge/pause:3.6\n' >"$FAKE/images"
  install edge
  [ "$status" -eq 1 ]
  [ "$(cat "$INSTALL_ROOT/etc/kubeedge/config/edgecore.yaml")" = 'modules: [' ]
}

# What KubeEdge's own types make of it; tests/kubeedge/main.go tells the arguments.
kubeedge_reads() {
  [ -x "$tools/kubeedge" ] || without "KubeEdge's modules cannot be had here (make tools)"
  "$tools/kubeedge" "$@" 2>"$BATS_TEST_TMPDIR/said" || { cat "$BATS_TEST_TMPDIR/said" >&2 && return 1; }
}

@test "KubeEdge's own types know every key of edgecore.yaml and read back what was set, and the rest as it was" {
  printf 'EDGE_LOG_SIZE=20Mi\nEDGE_LOG_FILES=7\nCLOUD_ADDRESS=cloud.example.org\n' >"$BATS_TEST_TMPDIR/site"
  for version in v1.22.2 v1.23.1; do
    file=$BATS_TEST_DIRNAME/edgecore-$version.yaml
    edit edgecore_edit "$BATS_TEST_TMPDIR/site" <"$file" >"$BATS_TEST_TMPDIR/edited.yaml"
    kubeedge_reads edgecore - <"$BATS_TEST_TMPDIR/edited.yaml" >"$BATS_TEST_TMPDIR/read"
    edgecore_is_right "$BATS_TEST_TMPDIR/read" cloud.example.org:10004
    [ "$("$REAL_YQ" '.modules.edged.tailoredKubeletConfig | .containerLogMaxSize + " " + .containerLogMaxFiles' "$BATS_TEST_TMPDIR/read")" = "20Mi 7" ]
    kubeedge_reads edgecore - <"$file" >"$BATS_TEST_TMPDIR/before"
    equal_but "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/read" "${edgecore_keys[@]}"
  done
}

@test "KubeEdge's own types read both forms of cloudcore's ConfigMap as they were, with metrics and tunnel" {
  kubeedge
  "$REAL_YQ" '.data["cloudcore.yaml"]' "$FAKE/objects/kubeedge.configmap.cloudcore" >"$BATS_TEST_TMPDIR/short.yaml"
  for file in "$BATS_TEST_TMPDIR/short.yaml" "$BATS_TEST_DIRNAME"/cloudcore-v1.22.2.yaml "$BATS_TEST_DIRNAME"/cloudcore-v1.23.1.yaml; do
    edit cloudcore_edit <"$file" >"$BATS_TEST_TMPDIR/edited.yaml"
    kubeedge_reads cloudcore - <"$BATS_TEST_TMPDIR/edited.yaml" >"$BATS_TEST_TMPDIR/read"
    [ "$("$REAL_YQ" '.commonConfig.monitorServer.bindAddress' "$BATS_TEST_TMPDIR/read")" = 0.0.0.0:9091 ]
    [ "$("$REAL_YQ" '.modules.cloudStream.enable' "$BATS_TEST_TMPDIR/read")" = true ]
    kubeedge_reads cloudcore - <"$file" >"$BATS_TEST_TMPDIR/before"
    equal_but "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/read" .commonConfig.monitorServer.bindAddress .modules.cloudStream.enable
  done
}

@test "a node that joins gets from keadm's own parser what an edit gives one that has joined" {
  mkdir -p "$INSTALL_ROOT/etc"
  printf 'EDGE_LOG_SIZE=20Mi\nEDGE_LOG_FILES=7\nCLOUD_ADDRESS=192.0.2.2\n' >"$BATS_TEST_TMPDIR/site"
  edit edgecore_join_settings "$BATS_TEST_TMPDIR/site" | grep -v '^--set$' >"$BATS_TEST_TMPDIR/sets"
  mapfile -t sets <"$BATS_TEST_TMPDIR/sets"
  kubeedge_reads join "${sets[@]}" >"$BATS_TEST_TMPDIR/joined"
  : >"$BATS_TEST_TMPDIR/nothing"
  kubeedge_reads edgecore "$BATS_TEST_TMPDIR/nothing" >"$BATS_TEST_TMPDIR/defaults.yaml"
  edit edgecore_edit "$BATS_TEST_TMPDIR/site" <"$BATS_TEST_TMPDIR/defaults.yaml" >"$BATS_TEST_TMPDIR/edited"
  # keadm derives the tunnel's server from the address that it joins.
  equal_but "$BATS_TEST_TMPDIR/edited" "$BATS_TEST_TMPDIR/joined" .modules.edgeStream.server
  run cmp -s "$BATS_TEST_TMPDIR/defaults.yaml" "$BATS_TEST_TMPDIR/joined"
  [ "$status" -eq 1 ]
}

@test "what the earlier edge script wrote is passed over by edgecore, and the edit mends it" {
  "$REAL_YQ" '.modules.edged.clusterDNS = ["169.254.96.16"] | .modules.edged.networkPluginName = "cni"' \
    "$BATS_TEST_DIRNAME/edgecore-v1.22.2.yaml" >"$BATS_TEST_TMPDIR/earlier.yaml"
  kubeedge_reads edgecore "$BATS_TEST_TMPDIR/earlier.yaml" >"$BATS_TEST_TMPDIR/read"
  absent -E 'clusterDNS|networkPluginName' "$BATS_TEST_TMPDIR/read"
  run kubeedge_reads edgecore - <"$BATS_TEST_TMPDIR/earlier.yaml"
  [ "$status" -eq 1 ]
  says 'unknown field'
  edit edgecore_edit <"$BATS_TEST_TMPDIR/earlier.yaml" >"$BATS_TEST_TMPDIR/edited.yaml"
  kubeedge_reads edgecore "$BATS_TEST_TMPDIR/edited.yaml" >"$BATS_TEST_TMPDIR/read"
  edgecore_is_right "$BATS_TEST_TMPDIR/read" 192.0.2.2:10004
}

@test "what the earlier cloud script wrote makes two managers of one chain" {
  printf 'modules:\n  cloudHub: {nodeLimit: 1000}\n  cloudStream: {enable: true}\n  dynamicController: {enable: true}\n' >"$BATS_TEST_TMPDIR/earlier.yaml"
  kubeedge_reads cloudcore "$BATS_TEST_TMPDIR/earlier.yaml" >"$BATS_TEST_TMPDIR/read"
  [ "$("$REAL_YQ" '.modules.iptablesManager | .enable + " " + .mode' "$BATS_TEST_TMPDIR/read")" = "true internal" ]
}

@test "cloudcore takes an address for its metrics and no name, and so do the settings" {
  run kubeedge_reads cloudcore - <<<'{"commonConfig": {"monitorServer": {"bindAddress": "cloud.example.org:9091"}}}'
  [ "$status" -eq 1 ]
  says 'must be a valid IP'
  mkdir -p "$INSTALL_ROOT/etc/observability"
  printf 'CLOUDCORE_METRICS=cloud.example.org:9091\n' >"$INSTALL_ROOT/etc/observability/site.env"
  install preflight
  [ "$status" -eq 2 ]
  says CLOUDCORE_METRICS
}

# FILE NUMBER: what stands between the fences of the document's code block of this number.
block() {
  awk -v wanted="$2" '/^```/ { open = !open; if (open) number++; next } open && number == wanted' "$1"
}

@test "the lines that the review tells are those that the edits write" {
  review=$root/docs/review-of-earlier-scripts.md
  for version in v1.22.2 v1.23.1; do
    block "$review" 1 | sed 's/CLOUD:/192.0.2.2:/' >"$BATS_TEST_TMPDIR/told.yaml"
    edit edgecore_edit <"$BATS_TEST_DIRNAME/edgecore-$version.yaml" >"$BATS_TEST_TMPDIR/edited.yaml"
    diff <("$REAL_YQ" eval-all -P 'select(fi == 0) * select(fi == 1) | sort_keys(..) | ... comments=""' "$BATS_TEST_DIRNAME/edgecore-$version.yaml" "$BATS_TEST_TMPDIR/told.yaml") \
      <("$REAL_YQ" -P 'sort_keys(..)' "$BATS_TEST_TMPDIR/edited.yaml")
    block "$review" 2 >"$BATS_TEST_TMPDIR/told.yaml"
    edit cloudcore_edit <"$BATS_TEST_DIRNAME/cloudcore-$version.yaml" >"$BATS_TEST_TMPDIR/edited.yaml"
    diff <("$REAL_YQ" eval-all -P 'select(fi == 0) * select(fi == 1) | sort_keys(..) | ... comments=""' "$BATS_TEST_DIRNAME/cloudcore-$version.yaml" "$BATS_TEST_TMPDIR/told.yaml") \
      <("$REAL_YQ" -P 'sort_keys(..)' "$BATS_TEST_TMPDIR/edited.yaml")
  done
  diff <(block "$review" 4 | sed -n 's/^--set //p' | sed "s/ \\\\$//; s/'//g" | tr , '\n' | LC_ALL=C sort) \
    <(edit edgecore_join_settings | grep -v '^--set$' | tr , '\n' | LC_ALL=C sort)
}

@test "the review has the same lines and changes in both languages, and each change is one that can be applied" {
  for language in .md .zh-CN.md; do
    awk '/^```/ { open = !open } open' "$root/docs/review-of-earlier-scripts$language" >"$BATS_TEST_TMPDIR/blocks$language"
    grep -cE '^\*\*[0-9]+\. ' "$root/docs/review-of-earlier-scripts$language" >"$BATS_TEST_TMPDIR/found$language"
  done
  cmp "$BATS_TEST_TMPDIR/blocks.md" "$BATS_TEST_TMPDIR/blocks.zh-CN.md"
  cmp "$BATS_TEST_TMPDIR/found.md" "$BATS_TEST_TMPDIR/found.zh-CN.md"
  [ "$(cat "$BATS_TEST_TMPDIR/found.md")" -ge 39 ]
  # Each hunk has as many lines as its head says.
  awk '
    function check() { if (hunks && (minus != wantedminus || plus != wantedplus)) { print head; wrong = 1 } }
    /^```|^--- a\// { check(); hunks = 0; next }
    /^\+\+\+ b\// { next }
    /^@@ / { check(); head = $0; hunks = 1; minus = plus = 0; split($2, a, ","); split($3, b, ","); wantedminus = a[2]; wantedplus = b[2]; next }
    /^-/ { minus++ } /^\+/ { plus++ }
    END { check(); exit wrong }' "$BATS_TEST_TMPDIR/blocks.md"
}
