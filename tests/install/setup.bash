# shellcheck shell=bash
# A small bundle as `bundler pack` writes it, with recording programs on PATH and a root directory of its own.

root=$BATS_TEST_DIRNAME/../..
tools=$root/target/tools/bin

# REASON: leaves a test out where a tool of it cannot be had; on CI that is a failure.
without() {
  if [ "${CI:-}" = true ]; then
    printf '%s\n' "$1" >&2
    return 1
  fi
  skip "$1"
}

setup() {
  REAL_HELM=$("$root/tests/helm.sh" 2>/dev/null) || without "no Helm here (make tools)"
  REAL_YQ=$tools/yq
  [ -x "$REAL_YQ" ] || without "no yq 4 here (make tools)"
  FAKE=$BATS_TEST_TMPDIR/state
  STUBS=$BATS_TEST_DIRNAME/stubs
  INSTALL_ROOT=$BATS_TEST_TMPDIR/root
  export REAL_HELM REAL_YQ FAKE STUBS INSTALL_ROOT
  export PATH=$BATS_TEST_TMPDIR/bin:$STUBS:$PATH LC_ALL=C.UTF-8 HELM_CACHE_HOME=$BATS_TEST_TMPDIR/helm EDGE_TRIES=1
  unset KUBECONFIG LANG LC_MESSAGES
  mkdir -p "$FAKE"/{applied,objects,releases,http} "$BATS_TEST_TMPDIR/bin" "$INSTALL_ROOT"/{etc,var,run}
  : >"$FAKE/calls" && : >"$FAKE/images" && : >"$FAKE/answers"
  bundle=$BATS_TEST_TMPDIR/bundle
  make_bundle "$bundle" 1.0.0
  healthy_cluster
}

# DIRECTORY VERSION
make_bundle() {
  mkdir -p "$1"
  cp -r "$root/manifests/install/." "$1/"
  mkdir -p "$1"/{files,charts,blobs/sha256} "$1/components"/{stack,mesh,agent/before,agent/resources}
  cp "$REAL_YQ" "$1/files/yq"
  cp "$STUBS/helm" "$1/files/helm"
  make_chart "$1" stack 'crds: ["things.example.org"]'
  make_chart "$1" edgemesh ''
  make_chart "$1" istiod ''
  make_chart "$1" metrics-server ''
  mkdir -p "$1/components"/{kube-prometheus-stack,edgemesh,istio,metrics-server}
  printf 'replicas: 1\nurl: http://loki.monitoring.svc:3100\n' >"$1/components/kube-prometheus-stack/values.yaml"
  printf 'agent: {psk: ""}\n' >"$1/components/edgemesh/values.yaml"
  printf 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: first, namespace: monitoring}\n' >"$1/components/agent/before/a.yaml"
  printf 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: last, namespace: monitoring}\ndata: {url: "http://x.monitoring.svc/"}\n' >"$1/components/agent/resources/b.yaml"
  make_images "$1" docker.io/example/stack:1 docker.io/example/agent:1 docker.io/kubeedge/pause:3.6
  {
    printf 'bundle\tobservability\t%s\narch\tamd64\narch\tarm64\n' "$2"
    printf 'profile\tcloud\t%s\n' agent edgemesh istio kube-prometheus-stack metrics-server cloudcore
    printf 'profile\tedge\t%s\n' agent edgecore
    printf 'component\t%s\t1.2.3\n' agent edgecore edgemesh istio kube-prometheus-stack metrics-server cloudcore
    printf 'image\tagent\tdocker.io/example/agent:1\n'
    printf 'image\tedgecore\tdocker.io/kubeedge/pause:3.6\n'
    printf 'image\tkube-prometheus-stack\tdocker.io/example/stack:1\n'
    printf 'image\tcloudcore\t%s\n' docker.io/kubeedge/iptables-manager:v1.23.1 docker.io/kubeedge/iptables-manager-nft:v1.23.1
    printf 'release\tedgemesh\tedgemesh\tkubeedge\tcharts/edgemesh-1.0.0.tgz\tcomponents/edgemesh/values.yaml\t--set-string\tagent.image=docker.io/example/mesh:1\n'
    printf 'release\tistio\tistiod\tistio-system\tcharts/istiod-1.0.0.tgz\t-\n'
    printf 'release\tkube-prometheus-stack\tkube-prometheus-stack\tmonitoring\tcharts/stack-1.0.0.tgz\tcomponents/kube-prometheus-stack/values.yaml\t--set\tflag=true\t--set-string\tname=a b\n'
    printf 'release\tmetrics-server\tmetrics-server\tkube-system\tcharts/metrics-server-1.0.0.tgz\t-\n'
  } >"$1/lib/plan.tsv"
  seal "$1"
}

# BUNDLE: the checksums of what is in it now.
seal() {
  (cd "$1" && find . -type f ! -name SHA256SUMS | cut -c3- | LC_ALL=C sort | while read -r file; do sha256sum -- "$file"; done >../sums && mv ../sums SHA256SUMS)
}

# BUNDLE NAME VALUES
make_chart() {
  local source=$BATS_TEST_TMPDIR/charts/$2
  if [ ! -d "$source" ]; then
    mkdir -p "$source/templates" "$source/crds"
    printf 'apiVersion: v2\nname: %s\nversion: 1.0.0\nkubeVersion: ">=1.25.0-0"\n' "$2" >"$source/Chart.yaml"
    # shellcheck disable=SC2016
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: {{ .Release.Namespace }}}\ndata:\n  values: {{ .Values | toJson | quote }}\n' "$2" >"$source/templates/map.yaml"
    printf '# made by upstream\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s.example.org}\n' "$2" >"$source/crds/crd.yaml"
  fi
  tar -czf "$1/charts/$2-1.0.0.tgz" -C "$BATS_TEST_TMPDIR/charts" "$2"
}

# BUNDLE REFERENCE…: an OCI layout with a manifest, a configuration and a layer for each.
make_images() {
  local bundle=$1 image list='' digest layer config
  shift
  printf '{"imageLayoutVersion":"1.0.0"}' >"$bundle/oci-layout"
  for image in "$@"; do
    layer=$(blob "$bundle" "layer of $image")
    config=$(blob "$bundle" "{\"of\":\"$image\"}")
    digest=$(blob "$bundle" "{\"config\":{\"digest\":\"sha256:$config\"},\"layers\":[{\"digest\":\"sha256:$layer\"}]}")
    list+="${list:+,}{\"digest\":\"sha256:$digest\",\"annotations\":{\"io.containerd.image.name\":\"$image\"}}"
  done
  printf '{"schemaVersion":2,"manifests":[%s]}' "$list" >"$bundle/index.json"
}

blob() {
  local digest
  digest=$(printf '%s' "$2" | sha256sum | cut -c1-64)
  printf '%s' "$2" >"$1/blobs/sha256/$digest"
  printf '%s' "$digest"
}

# TEXT ANSWER: what kubectl says to a call with this text in it.
answer() {
  printf '%s\t%s\n' "$1" "$2" >>"$FAKE/answers"
}

healthy_cluster() {
  answer 'get nodes -l !node-role.kubernetes.io/edge' "$(uname -n)\tTrue\n"
  answer 'get nodes -l node-role.kubernetes.io/edge' 'edge-1\tTrue\n'
  answer "get node $(uname -n)" 192.0.2.10
  answer 'get storageclass' 'local-path\n'
  printf 'docker.io/kubeedge/iptables-manager:v1.23.1\ndocker.io/kubeedge/iptables-manager-nft:v1.23.1\n' >"$FAKE/images"
}

# KubeEdge's own side in the cluster, with the short text of its chart.
kubeedge() {
  local target=$FAKE/objects/kubeedge
  cat >"$target.configmap.cloudcore" <<'EOF'
kind: ConfigMap
data:
  cloudcore.yaml: |
    apiVersion: cloudcore.config.kubeedge.io/v1alpha2
    kind: CloudCore
    modules:
      cloudHub: {advertiseAddress: [192.0.2.10], nodeLimit: 1000}
      cloudStream: {enable: true, streamPort: 10003, tunnelPort: 10004}
      iptablesManager: {enable: true, mode: external}
EOF
  printf 'kind: Deployment\n' >"$target.deployment.cloudcore"
  printf 'kind: DaemonSet\nspec: {template: {spec: {containers: [{image: "kubeedge/iptables-manager:v1.23.1"}]}}}\n' >"$target.daemonset.cloud-iptables-manager"
}

# An edge that joined with KubeEdge's complete defaults, and its kubelet.
edge_node() {
  mkdir -p "$INSTALL_ROOT/etc/kubeedge/config"
  cp "$BATS_TEST_DIRNAME/edgecore-${1:-v1.23.1}.yaml" "$INSTALL_ROOT/etc/kubeedge/config/edgecore.yaml"
}

install() {
  run bash "$bundle/install.sh" "$@" </dev/null
}

calls() {
  grep -F -- "$1" "$FAKE/calls"
}

fail_when() {
  printf '%s\n' "$1" >>"$FAKE/fail"
}

# What of the last `run` says TEXT.
says() {
  [[ $output == *"$1"* ]] || { printf 'status %s, output:\n%s\n' "$status" "$output" >&2 && return 1; }
}

# As grep -q, and fails where something is found: `!` in front of a command would not fail a test.
absent() {
  if grep "$@" >&2; then
    return 1
  fi
}
