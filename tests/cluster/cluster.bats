# A whole installation against a real API server, scheduler and controllers, from a bundle that `bundler pack` made.
# One cluster for the file, and the tests follow each other: install, again, upgrade, a failing upgrade, removal.

bats_require_minimum_version 1.5.0

setup_file() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  work=$BATS_FILE_TMPDIR
  "$BATS_TEST_DIRNAME/start.sh" "$work/cluster" 3>&-
  "$BATS_TEST_DIRNAME/bundle.sh" "$work" 1.0.0
  "$BATS_TEST_DIRNAME/bundle.sh" "$work" 1.1.0
  optional=$(sed -n 's/^OPTIONAL=" \(.*\) "$/\1/p' "$root/manifests/install/lib/plan.sh" | tr ' ' ,)
  export optional root work KUBECONFIG=$work/cluster/kubeconfig INSTALL_ROOT=$work/root PATH=$root/target/tools/cluster:$PATH
  export YQ=$root/target/tools/bin/yq HELM=$work/bundle-1.0.0/files/helm HELM_TIMEOUT=10m LC_ALL=C.UTF-8
  mkdir -p "$INSTALL_ROOT"/{etc/observability,var,run}
  printf 'HOST=192.0.2.10\nMETRICS_SERVER=chart\nPROMETHEUS_RETENTION=7d\n' >"$INSTALL_ROOT/etc/observability/site.env"
}

teardown_file() {
  while read -r pid; do
    kill "$pid" || true
  done <"$BATS_FILE_TMPDIR/cluster/pids"
}

# VERSION ARGUMENT…: there is no containerd beside this API server; images have a test of their own.
cloud() {
  local version=$1
  shift
  run bash "$work/bundle-$version/install.sh" cloud --skip images --yes "$@" </dev/null
  [ "$status" -eq 0 ] || { echo "$output"; false; }
}

# Every object of the stack with its version; what controllers and timers touch is left out.
versions() {
  local kind
  for kind in configmaps secrets services serviceaccounts deployments.apps daemonsets.apps statefulsets.apps ingresses.networking.k8s.io \
    networkpolicies.networking.k8s.io clusterroles.rbac.authorization.k8s.io clusterrolebindings.rbac.authorization.k8s.io customresourcedefinitions.apiextensions.k8s.io; do
    kubectl get "$kind" -A -o 'jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name} {.metadata.generation} {.metadata.uid}{"\n"}{end}'
  done | LC_ALL=C sort
}

resource_versions() {
  kubectl get configmaps,secrets,serviceaccounts -A -o 'jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name} {.metadata.resourceVersion}{"\n"}{end}' |
    grep -v 'kube-system/extension-apiserver' | LC_ALL=C sort
}

manifests() {
  local namespace name
  while read -r name namespace; do
    "$HELM" get manifest "$name" --namespace "$namespace"
  done < <("$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | .name + " " + .namespace')
}

@test "it installs from nothing" {
  cloud 1.0.0
  mapfile -t releases < <("$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | select(.status == "deployed") | .name')
  expected=$(grep -c '^release' "$work/bundle-1.0.0/lib/plan.tsv")
  echo "${#releases[@]} of $expected releases: ${releases[*]}"
  for name in kube-prometheus-stack loki jaeger edgemesh metrics-server blackbox-exporter; do
    [[ " ${releases[*]} " == *" $name "* ]]
  done
}

@test "every object of every release and manifest is there" {
  local at name namespace
  while read -r name namespace; do
    "$HELM" get manifest "$name" --namespace "$namespace" >"$BATS_TEST_TMPDIR/release.yaml"
    # What names no namespace is in the release's.
    NS=$namespace "$YQ" 'select((.metadata.namespace // strenv(NS)) == strenv(NS))' "$BATS_TEST_TMPDIR/release.yaml" |
      kubectl -n "$namespace" get -f - -o name >>"$BATS_TEST_TMPDIR/names"
  done < <("$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | .name + " " + .namespace')
  [ "$(wc -l <"$BATS_TEST_TMPDIR/names")" -gt 30 ]
  for at in kube-prometheus-stack loki fluent-bit alloy ways-in; do
    for folder in before resources; do
      [ ! -d "$work/bundle-1.0.0/components/$at/$folder" ] || kubectl get -R -f "$work/bundle-1.0.0/components/$at/$folder" -o name >/dev/null
    done
  done
}

@test "the secrets of the ways in are of their types, and the certificate is good" {
  [ "$(kubectl -n monitoring get secret basic-auth-push -o 'jsonpath={.type}')" = kubernetes.io/basic-auth ]
  [ "$(kubectl -n monitoring get secret observability-tls -o 'jsonpath={.type}')" = kubernetes.io/tls ]
  for key in host port user password cloud 'ca\.crt'; do
    [ -n "$(kubectl -n monitoring get secret edge-push -o "jsonpath={.data.$key}")" ]
  done
  kubectl -n monitoring get secret observability-tls -o 'jsonpath={.data.tls\.crt}' | base64 -d >"$BATS_TEST_TMPDIR/leaf"
  kubectl -n monitoring get configmap observability-ca -o 'jsonpath={.data.ca\.crt}' >"$BATS_TEST_TMPDIR/ca"
  openssl verify -CAfile "$BATS_TEST_TMPDIR/ca" -verify_ip 192.0.2.10 "$BATS_TEST_TMPDIR/leaf"
}

@test "no pod of the cloud is on the edge, and the edge has its own" {
  kubectl get pods -A --field-selector spec.nodeName=edge-1 -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\n"}{end}' >"$BATS_TEST_TMPDIR/edge"
  cat "$BATS_TEST_TMPDIR/edge"
  run ! grep -vE '/(fluent-bit|edgemesh-agent|alloy-edge|edge-)' "$BATS_TEST_TMPDIR/edge"
}

@test "cloudcore has its settings and was restarted; the manager uses the right iptables" {
  kubectl -n kubeedge get configmap cloudcore -o 'jsonpath={.data.cloudcore\.yaml}' >"$BATS_TEST_TMPDIR/cloudcore"
  [ "$("$YQ" .commonConfig.monitorServer.bindAddress "$BATS_TEST_TMPDIR/cloudcore")" = 0.0.0.0:9091 ]
  [ "$("$YQ" .modules.iptablesManager.mode "$BATS_TEST_TMPDIR/cloudcore")" = external ]
  [ -n "$(kubectl -n kubeedge get deployment cloudcore -o 'jsonpath={.spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt}')" ]
}

@test "a second run changes nothing: the same manifests, generations and versions" {
  manifests >"$BATS_TEST_TMPDIR/manifests"
  versions >"$BATS_TEST_TMPDIR/versions"
  resource_versions >"$BATS_TEST_TMPDIR/resources"
  "$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | .name + " " + .revision' >"$BATS_TEST_TMPDIR/revisions"
  cloud 1.0.0
  diff <(manifests) "$BATS_TEST_TMPDIR/manifests"
  diff <(versions) "$BATS_TEST_TMPDIR/versions"
  diff <(resource_versions) "$BATS_TEST_TMPDIR/resources"
  diff <("$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | .name + " " + .revision') "$BATS_TEST_TMPDIR/revisions"
}

@test "the server takes every object of the components that are optional, too" {
  local kind component name namespace chart values arguments problems
  # What definitions and namespaces they need is made as the installer would.
  while IFS=$'\t' read -r kind component name namespace chart values arguments; do
    [ "$kind" = release ] || continue
    ! "$HELM" status "$name" --namespace "$namespace" >/dev/null 2>&1 || continue
    kubectl create namespace "$namespace" 2>/dev/null || true
    IFS=$'\t' read -r -a own <<<"$arguments"
    [ "$values" = - ] || own+=(--values "$work/bundle-1.0.0/$values")
    "$HELM" template "$name" "$work/bundle-1.0.0/$chart" --namespace "$namespace" --no-hooks "${own[@]}" >"$BATS_TEST_TMPDIR/$name.yaml"
    [ -s "$BATS_TEST_TMPDIR/$name.yaml" ] || continue
    kubectl apply --server-side --dry-run=server --force-conflicts -f "$BATS_TEST_TMPDIR/$name.yaml" >"$BATS_TEST_TMPDIR/$name.out" 2>&1 || true
    # Objects of kinds that the same chart defines cannot be tried before those are there.
    problems=$(grep -i error "$BATS_TEST_TMPDIR/$name.out" | grep -v 'no matches for kind' || true)
    [ -z "$problems" ] || { echo "$name: $problems"; false; }
    echo "$name: $(grep -c 'server dry run' "$BATS_TEST_TMPDIR/$name.out") objects"
  done <"$work/bundle-1.0.0/lib/plan.tsv"
}

@test "what somebody deleted comes back" {
  kubectl -n kube-system delete deployment metrics-server
  cloud 1.0.0
  kubectl -n kube-system get deployment metrics-server
}

@test "every optional component is installed when it is named" {
  local name
  cloud 1.0.0 --with "$optional"
  for name in istiod logging-operator opentelemetry-operator pushgateway; do
    "$HELM" list -A -q | grep -x "$name"
  done
  kubectl -n monitoring get deployment prometheus-alert event-exporter
}

@test "the server takes what is applied by hand, on demand, or on another kind of site" {
  local file tried=0 problems
  for file in "$root"/manifests/components/*/{before,resources,on-demand}/*.yaml; do
    [ -e "$file" ] || continue
    if ! kubectl apply --server-side --dry-run=server --force-conflicts -f "$file" >"$BATS_TEST_TMPDIR/tried" 2>&1; then
      # The small charts do not define all kinds.
      problems=$(grep -vE 'server dry run|no matches for kind|ensure CRDs' "$BATS_TEST_TMPDIR/tried" || true)
      [ -z "${BUNDLER_CHARTS:-}" ] && [ -z "$problems" ] || { cat "$BATS_TEST_TMPDIR/tried"; false; }
    fi
    tried=$((tried + 1))
  done
  [ "$tried" -gt 15 ]
  # As the head of the file says.
  "$HELM" upgrade --install alloy-edge "$work"/bundle-1.0.0/charts/alloy-*.tgz --namespace monitoring --dry-run=server -o json \
    --values "$work/bundle-1.0.0/components/alloy/values.yaml" --values "$work/bundle-1.0.0/components/alloy/options/edge.yaml" |
    "$YQ" -p=json -o=yaml .manifest >"$BATS_TEST_TMPDIR/alloy-edge.yaml"
  run kubectl -n monitoring apply --server-side --dry-run=server --force-conflicts -f "$BATS_TEST_TMPDIR/alloy-edge.yaml"
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  [[ $output == *"daemonset.apps/alloy-edge serverside-applied"* ]]
}

@test "one optional component is taken away, and the others stay chosen" {
  run bash "$work/bundle-1.0.0/install.sh" uninstall --only istio --yes </dev/null
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  "$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | .name + " " + .revision' >"$BATS_TEST_TMPDIR/revisions"
  cloud 1.0.0
  [[ $output == *"pushgateway is as it should be"* ]]
  diff <("$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | .name + " " + .revision') "$BATS_TEST_TMPDIR/revisions"
  [ "$(grep -c istio "$BATS_TEST_TMPDIR/revisions" || true)" -eq 0 ]
}

@test "an upgrade changes what differs and nothing else" {
  local before
  before=$("$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | select(.name == "loki") | .revision')
  printf 'HOST=192.0.2.10\nMETRICS_SERVER=chart\nPROMETHEUS_RETENTION=7d\nMETRICS_SERVER_REPLICAS=2\n' >"$INSTALL_ROOT/etc/observability/site.env"
  cloud 1.1.0
  [[ $output == *"what changes from 1.0.0 to 1.1.0"* ]]
  [ "$("$HELM" get values metrics-server -n kube-system -o json | "$YQ" -p=json -o=yaml .replicas)" = 2 ]
  [ "$("$HELM" list -A -o json | "$YQ" -p=json -o=yaml '.[] | select(.name == "loki") | .revision')" = "$before" ]
  [ "$(kubectl -n monitoring get configmap observability-bundle -o 'jsonpath={.data.version} {.data.previous}')" = "1.1.0 1.0.0" ]
}

@test "the older bundle is refused" {
  run bash "$work/bundle-1.0.0/install.sh" cloud --skip images --yes </dev/null
  [ "$status" -eq 1 ]
  [[ $output == *"version 1.1.0 is installed"* ]]
}

@test "a release that does not become ready is rolled back" {
  printf 'metrics-server: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: nowhere, operator: Exists}]}]}}}}\n' >"$BATS_TEST_TMPDIR/bad.yaml"
  HELM_TIMEOUT=5s run bash "$work/bundle-1.1.0/install.sh" cloud --skip images --yes --only metrics-server --values "$BATS_TEST_TMPDIR/bad.yaml" </dev/null
  [ "$status" -eq 1 ] || { echo "$output"; false; }
  [[ $output == *"going back to revision"* ]]
  [[ $output == *"runs as before"* ]] || { echo "$output"; false; }
  [[ $(kubectl -n kube-system get deployment metrics-server -o 'jsonpath={.spec.template.spec.affinity}') != *nowhere* ]]
  kubectl -n kube-system rollout status deployment/metrics-server --timeout=60s
}

@test "a run that was killed in the middle of a release is taken up" {
  local revision
  revision=$("$HELM" list -n monitoring -o json | "$YQ" -p=json -o=yaml '.[] | select(.name == "loki") | .revision')
  printf 'loki: {podLabels: {touched: "yes"}, singleBinary: {podLabels: {touched: "yes"}}, note: other}\n' >"$BATS_TEST_TMPDIR/own.yaml"
  # Helm keeps this in the release's Secret while it works.
  kubectl -n monitoring get secret "sh.helm.release.v1.loki.v$revision" -o json |
    "$YQ" -p=json -o=json ".metadata = {\"name\": \"sh.helm.release.v1.loki.v$((revision + 1))\", \"namespace\": \"monitoring\", \"labels\": {\"owner\": \"helm\", \"name\": \"loki\", \"status\": \"pending-upgrade\", \"version\": \"$((revision + 1))\"}} |
      .data.release = (.data.release | @base64d)" >"$BATS_TEST_TMPDIR/pending.json"
  python3 - "$BATS_TEST_TMPDIR/pending.json" "$((revision + 1))" <<'EOF'
import base64, gzip, json, sys
path, version = sys.argv[1], int(sys.argv[2])
secret = json.load(open(path))
release = json.loads(gzip.decompress(base64.b64decode(secret["data"]["release"])))
release["info"]["status"], release["version"] = "pending-upgrade", version
packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
secret["data"]["release"] = base64.b64encode(packed).decode()
json.dump(secret, open(path, "w"))
EOF
  kubectl create -f "$BATS_TEST_TMPDIR/pending.json"
  [ "$("$HELM" status loki -n monitoring -o json | "$YQ" -p=json -o=yaml .info.status)" = pending-upgrade ]
  cloud 1.1.0
  [ "$("$HELM" status loki -n monitoring -o json | "$YQ" -p=json -o=yaml .info.status)" = deployed ]
}

@test "verify tells what cannot work here, and what does" {
  run bash "$work/bundle-1.1.0/install.sh" verify </dev/null
  [ "$status" -eq 1 ]
  [[ $output == *"PASS  cloudcore"* ]]
  [[ $output == *"PASS  edges"* ]]
  [[ $output == *"PASS  pods"* ]] || { echo "$output"; false; }
  # No kubelet is behind these nodes.
  [[ $output == *"FAIL  edge-logs"* ]] || [[ $output == *"SKIP  edge-logs"* ]]
}

@test "removal leaves what it said, and nothing else" {
  run bash "$work/bundle-1.1.0/install.sh" uninstall --yes </dev/null
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  [ "$("$HELM" list -A -q)" = "" ]
  kubectl get crd prometheuses.monitoring.coreos.com
  kubectl -n monitoring get secret observability-ca-key
  kubectl -n kubeedge get deployment cloudcore
  for kind in deployments statefulsets daemonsets; do
    [ "$(kubectl -n monitoring get "$kind" -o name)" = "" ] || { kubectl -n monitoring get "$kind"; false; }
  done
  [ "$(kubectl -n kube-system get deployments -o name)" = "" ]
}

@test "after removal it installs again, with the same passwords" {
  before=$(kubectl -n monitoring get secret observability-logins -o 'jsonpath={.data.admin}')
  cloud 1.1.0
  [ "$(kubectl -n monitoring get secret observability-logins -o 'jsonpath={.data.admin}')" = "$before" ]
}

@test "--purge and --purge-crds take the rest" {
  run bash "$work/bundle-1.1.0/install.sh" uninstall --yes --purge --purge-crds </dev/null
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  kubectl wait --for=delete --timeout=60s namespace/monitoring
  run ! kubectl get crd prometheuses.monitoring.coreos.com
  kubectl get namespace kubeedge
}
