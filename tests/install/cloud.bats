# `install.sh cloud`: every step, each program failing in turn, twice, interrupted, and upgraded.
load setup

# The order of these texts among the calls.
in_order() {
  local text at last=0
  for text in "$@"; do
    at=$(awk -v text="$text" -v last="$last" 'NR > last && index($0, text) { print NR; exit }' "$FAKE/calls")
    [ -n "$at" ] || { echo "no call with '$text' after line $last" >&2; return 1; }
    last=$at
  done
}

@test "steps come in their order: images, namespaces, secrets, definitions, cloudcore, charts, manifests" {
  kubeedge
  install cloud
  [ "$status" -eq 0 ]
  in_order 'images import' 'get namespace monitoring' 'certificates.yaml' 'logins.yaml' 'crds-kube-prometheus-stack.yaml' \
    'wait --for=condition=Established' 'patch configmap cloudcore' 'rollout restart deployment/cloudcore' 'rollout status deployment/cloudcore' \
    'upgrade --install kube-prometheus-stack' 'upgrade --install edgemesh' 'before/a.yaml' 'resources/b.yaml' 'set image daemonset/cloud-iptables-manager' record.yaml
  says "https://192.0.2.10/grafana/"
}

@test "a release gets the arguments of the plan, and Helm no definitions to make" {
  install cloud
  [ "$status" -eq 0 ]
  line=$(calls 'helm upgrade --install kube-prometheus-stack')
  [[ $line == *'--set flag=true --set-string name=a b --create-namespace --skip-crds --wait --timeout 10m'* ]]
  grep -q '"flag":true' "$FAKE/releases/kube-prometheus-stack" || grep -q 'flag' "$FAKE/releases/kube-prometheus-stack"
  grep -q 'a b' "$FAKE/releases/kube-prometheus-stack"
}

@test "a second run imports, edits and upgrades nothing" {
  kubeedge
  install cloud
  [ "$status" -eq 0 ]
  cp -r "$FAKE/releases" "$BATS_TEST_TMPDIR/before"
  cp "$FAKE/objects/monitoring.secret.observability-tls" "$FAKE/objects/monitoring.secret.observability-logins" "$FAKE/objects/kubeedge.secret.edgemesh-psk" "$BATS_TEST_TMPDIR/"
  "$REAL_YQ" -i '.spec.template.spec.containers[0].image = "docker.io/kubeedge/iptables-manager-nft:v1.23.1"' "$FAKE/objects/kubeedge.daemonset.cloud-iptables-manager"
  answer 'get -f' 'some/object'
  : >"$FAKE/calls"
  install cloud
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  absent -E 'images import|upgrade --install [a-z-]+ .*--wait|rollout restart|patch configmap|set image' "$FAKE/calls"
  diff -r "$BATS_TEST_TMPDIR/before" "$FAKE/releases"
  for kept in monitoring.secret.observability-tls kubeedge.secret.edgemesh-psk; do
    cmp "$BATS_TEST_TMPDIR/$kept" "$FAKE/objects/$kept"
  done
  diff <("$REAL_YQ" .stringData "$BATS_TEST_TMPDIR/monitoring.secret.observability-logins") <("$REAL_YQ" .stringData "$FAKE/objects/monitoring.secret.observability-logins")
  says "nothing differs"
}

# The release as it was made before the chart looked up what it had made.
looked_up() {
  local release=$FAKE/releases/kube-prometheus-stack
  sed -i '/^  values:/d' "$release"
  answer 'get -f' 'some/object'
  : >"$FAKE/calls"
}

@test "what a chart looks up in the cluster is no difference where the server says so" {
  install cloud
  [ "$status" -eq 0 ]
  looked_up
  answer 'diff --server-side' ''
  install cloud
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  absent -E 'upgrade --install [a-z-]+ .*--wait' "$FAKE/calls"
  calls 'kubectl -n monitoring diff --server-side --force-conflicts --field-manager=helm -f'
  says "kube-prometheus-stack is as it should be"
}

@test "what the server says differs is upgraded" {
  install cloud
  looked_up
  install cloud
  [ "$status" -eq 0 ]
  calls 'kubectl -n monitoring diff --server-side'
  [[ $(calls 'helm upgrade --install kube-prometheus-stack') == *--wait* ]]
}

@test "where Helm did not apply on the server, the server is not asked what differs" {
  install cloud
  looked_up
  answer 'diff --server-side' ''
  printf csa >"$FAKE/applied-by"
  install cloud
  [ "$status" -eq 0 ]
  absent 'diff --server-side' "$FAKE/calls"
  [[ $(calls 'helm upgrade --install kube-prometheus-stack') == *--wait* ]]
}

@test "an object that the new manifests lack, or another Secret, is a difference whatever the server says" {
  for extra in '{kind: ConfigMap, apiVersion: v1, metadata: {name: gone}}' '{kind: Secret, apiVersion: v1, metadata: {name: gone}}'; do
    rm -f "$FAKE"/releases/* && : >"$FAKE/answers" && healthy_cluster
    install cloud
    [ "$status" -eq 0 ]
    printf -- '---\n%s\n' "$extra" >>"$FAKE/releases/kube-prometheus-stack"
    answer 'get -f' 'some/object'
    answer 'diff --server-side' ''
    : >"$FAKE/calls"
    install cloud
    [ "$status" -eq 0 ]
    [[ $(calls 'helm upgrade --install kube-prometheus-stack') == *--wait* ]]
  done
}

@test "each program that fails ends the run with what to do" {
  kubeedge
  while IFS='|' read -r failing message; do
    rm -rf "$FAKE"/{objects,releases}/* && kubeedge && healthy_cluster
    printf '%s\n' "$failing" >"$FAKE/fail"
    install cloud
    [ "$status" -eq 1 ] || { echo "$failing: status $status"; echo "$output"; false; }
    says "$message" || { echo "when $failing"; false; }
  done <<'EOF'
kubectl version --request-timeout|the API server does not answer
images import|the images are not all in containerd
images label|the images are not all in containerd
observability-installer -f|was not accepted
crds-kube-prometheus-stack.yaml|definitions of kube-prometheus-stack
wait --for=condition=Established|definitions of kube-prometheus-stack
helm template certificates|does not render
create secret generic alert-channels|alert-channels was not accepted
patch configmap cloudcore|kubeedge/cloudcore was not accepted
rollout restart deployment/cloudcore|cloudcore did not come up
rollout status deployment/cloudcore|cloudcore did not come up
helm upgrade --install kube-prometheus-stack|kube-prometheus-stack did not become ready
set image daemonset|cloud-iptables-manager was not accepted
rollout status daemonset|cloud-iptables-manager did not come up
record.yaml|observability-bundle was not accepted
EOF
}

@test "after each failure the next run ends well" {
  kubeedge
  for failing in 'images import' 'crds-kube-prometheus-stack.yaml' 'rollout restart' 'upgrade --install edgemesh' record.yaml; do
    printf 'once:%s\n' "$failing" >"$FAKE/fail"
    install cloud
    [ "$status" -eq 1 ]
  done
  install cloud
  [ "$status" -eq 0 ]
}

@test "the pods that are not ready are named with their events" {
  fail_when 'helm upgrade --install kube-prometheus-stack'
  answer 'get pods -o jsonpath' 'prometheus-0\tFalse\tPending\n'
  answer 'get events --field-selector involvedObject.name=prometheus-0' '    FailedScheduling: no StorageClass\n'
  install cloud
  [ "$status" -eq 1 ]
  says "pod monitoring/prometheus-0 is not ready"
  says "FailedScheduling: no StorageClass"
}

@test "an upgrade that does not become ready is rolled back" {
  install cloud
  [ "$status" -eq 0 ]
  make_bundle "$BATS_TEST_TMPDIR/newer" 1.1.0
  printf 'replicas: 2\n' >"$BATS_TEST_TMPDIR/newer/components/kube-prometheus-stack/values.yaml" && seal "$BATS_TEST_TMPDIR/newer"
  answer 'get configmap observability-bundle' 1.0.0
  fail_when 'helm upgrade --install kube-prometheus-stack'
  # The dry run that shows the difference is no upgrade.
  printf 'once:nothing\n' >"$FAKE/fail" && printf '%s\n' '--wait --timeout 10m' >>"$FAKE/fail"
  bundle=$BATS_TEST_TMPDIR/newer
  install cloud --yes
  [ "$status" -eq 1 ]
  calls 'helm rollback kube-prometheus-stack 1 --namespace monitoring --wait' || grep -q rollback "$FAKE/calls"
}

@test "an upgrade shows the difference and asks; without a terminal it wants --yes" {
  install cloud
  make_bundle "$BATS_TEST_TMPDIR/newer" 1.1.0
  printf 'replicas: 2\n' >"$BATS_TEST_TMPDIR/newer/components/kube-prometheus-stack/values.yaml" && seal "$BATS_TEST_TMPDIR/newer"
  answer 'get configmap observability-bundle' 1.0.0
  answer 'get -f' 'some/object'
  bundle=$BATS_TEST_TMPDIR/newer
  : >"$FAKE/calls"
  install cloud
  [ "$status" -eq 1 ]
  says "kube-prometheus-stack: some-1.0.0 becomes stack-1.0.0.tgz"
  says "say --yes"
  absent -- '--wait --timeout' "$FAKE/calls"
  install cloud --yes
  [ "$status" -eq 0 ]
  [ "$(head -n 1 "$FAKE/releases/kube-prometheus-stack")" = "2 deployed" ]
  [ "$(head -n 1 "$FAKE/releases/edgemesh")" = "1 deployed" ]
}

@test "an older bundle is refused, and taken when it is meant" {
  answer 'get configmap observability-bundle' 1.10.0
  install cloud --yes
  [ "$status" -eq 1 ]
  says "version 1.10.0 is installed, and this bundle is 1.0.0"
  absent 'images import' "$FAKE/calls"
  install cloud --yes --allow-downgrade
  [ "$status" -eq 0 ]
}

@test "a pre-release is older than its release" {
  answer 'get configmap observability-bundle' 1.0.0-rc1
  install cloud --yes
  [ "$status" -eq 0 ]
}

@test "a release that a killed run left pending is taken up" {
  printf '3 pending-upgrade\n' >"$FAKE/releases/kube-prometheus-stack"
  install cloud
  [ "$status" -eq 0 ]
  calls 'delete secret sh.helm.release.v1.kube-prometheus-stack.v3'
  says "left pending-upgrade"
}

@test "an interruption in the middle leaves nothing behind, and the next run ends well" {
  touch "$FAKE/hang"
  export TMPDIR=$BATS_TEST_TMPDIR/tmp
  mkdir -p "$TMPDIR"
  setsid bash "$bundle/install.sh" cloud >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
  pid=$!
  while [ ! -e "$FAKE/hanging" ]; do kill -0 "$pid" && sleep 0.05; done
  kill -TERM -- "-$pid"
  code=0
  wait "$pid" || code=$?
  [ "$code" -eq 143 ]
  grep -q "run the same command again" "$BATS_TEST_TMPDIR/out"
  [ -z "$(ls "$TMPDIR")" ]
  [ ! -e "$INSTALL_ROOT/var/lib/observability/versions" ]
  rm "$FAKE/hang"
  install cloud
  [ "$status" -eq 0 ]
}

@test "two runs at once are one too many" {
  mkdir -p "$INSTALL_ROOT/var/lib/observability"
  exec 7>"$INSTALL_ROOT/var/lib/observability/lock"
  flock 7
  install cloud
  [ "$status" -eq 1 ]
  says "another installation runs"
}

@test "a dry run prints commands and manifests, and touches nothing" {
  kubeedge
  install cloud --dry-run
  [ "$status" -eq 0 ]
  says "+ kubectl apply --server-side"
  says "kind: CustomResourceDefinition"
  says "+ $bundle/files/helm upgrade --install kube-prometheus-stack"
  says "name: last"
  [ ! -e "$INSTALL_ROOT/var/lib/observability" ]
  [ ! -e "$INSTALL_ROOT/var/log/observability-install.log" ]
  [ -z "$(find "$FAKE/applied" "$FAKE/releases" -type f)" ]
  [ ! -e "$FAKE/imported" ]
}

@test "--only and --skip choose components and steps" {
  kubeedge
  install cloud --only kube-prometheus-stack,crds
  [ "$status" -eq 0 ]
  calls 'upgrade --install kube-prometheus-stack'
  absent -E 'install edgemesh|images import|patch configmap|record.yaml|b.yaml' "$FAKE/calls"
  : >"$FAKE/calls"
  install cloud --skip kube-prometheus-stack,images
  [ "$status" -eq 0 ]
  absent -E 'install kube-prometheus-stack|images import' "$FAKE/calls"
  calls 'upgrade --install edgemesh'
}

@test "an optional component comes only when it is named, and takes over what another mesh made" {
  install cloud
  absent 'install istiod' "$FAKE/calls"
  install cloud --with istio
  [ "$status" -eq 0 ]
  [[ $(calls 'upgrade --install istiod') == *'--take-ownership --force-conflicts'* ]]
  : >"$FAKE/calls"
  rm "$FAKE/releases/edgemesh"
  install cloud --with istio
  says "EdgeMesh goes without its definitions"
  absent 'apply.*crds-edgemesh.yaml' "$FAKE/calls"
}

@test "an optional component stays chosen until it is taken away" {
  install cloud
  install cloud --only istio
  [ "$status" -eq 0 ]
  calls 'upgrade --install istiod'
  install cloud
  [ "$status" -eq 0 ]
  says "istiod is as it should be"
  install status
  says istiod
  install uninstall --only istio --yes
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  : >"$FAKE/calls"
  install cloud
  [ "$status" -eq 0 ]
  absent istiod "$FAKE/calls"
}

@test "no secret is in arguments, log or output" {
  kubeedge
  install cloud --log "$BATS_TEST_TMPDIR/log"
  [ "$status" -eq 0 ]
  secrets=$("$REAL_YQ" -N '.stringData[]' "$FAKE"/objects/monitoring.secret.{basic-auth-push,grafana-admin,observability-logins} "$FAKE/objects/kubeedge.secret.edgemesh-psk" | grep -E '^.{20,}')
  [ "$(wc -l <<<"$secrets")" -ge 5 ]
  key=$("$REAL_YQ" '.data["tls.key"]' "$FAKE/objects/monitoring.secret.observability-ca-key")
  while read -r secret; do
    absent -F -- "$secret" "$FAKE/calls" "$BATS_TEST_TMPDIR/log"
    [[ $output != *"$secret"* ]]
  done <<<"$secrets"$'\n'"${key:0:200}"
}

@test "the certificate names the host, and is made anew when that changes or it ends" {
  install cloud
  first=$("$REAL_YQ" '.data["tls.crt"]' "$FAKE/objects/monitoring.secret.observability-tls")
  ca=$("$REAL_YQ" '.data["ca.crt"]' "$FAKE/objects/monitoring.configmap.observability-ca")
  base64 -d <<<"$first" >"$BATS_TEST_TMPDIR/leaf.pem" && printf '%s\n' "$ca" >"$BATS_TEST_TMPDIR/ca.pem"
  openssl verify -CAfile "$BATS_TEST_TMPDIR/ca.pem" -verify_ip 192.0.2.10 "$BATS_TEST_TMPDIR/leaf.pem"
  mkdir -p "$INSTALL_ROOT/etc/observability"
  printf 'HOST=obs.example.org\nALT_NAMES=192.0.2.10\n' >"$INSTALL_ROOT/etc/observability/site.env"
  install cloud
  "$REAL_YQ" '.data["tls.crt"]' "$FAKE/objects/monitoring.secret.observability-tls" | base64 -d >"$BATS_TEST_TMPDIR/leaf.pem"
  openssl verify -CAfile "$BATS_TEST_TMPDIR/ca.pem" -verify_hostname obs.example.org "$BATS_TEST_TMPDIR/leaf.pem"
  openssl verify -CAfile "$BATS_TEST_TMPDIR/ca.pem" -verify_ip 192.0.2.10 "$BATS_TEST_TMPDIR/leaf.pem"
  second=$("$REAL_YQ" '.data["tls.crt"]' "$FAKE/objects/monitoring.secret.observability-tls")
  install cloud
  [ "$second" = "$("$REAL_YQ" '.data["tls.crt"]' "$FAKE/objects/monitoring.secret.observability-tls")" ]
  "$REAL_YQ" -i '.metadata.annotations["observability/not-after"] = "2020-01-01"' "$FAKE/objects/monitoring.secret.observability-tls"
  install cloud
  [ "$second" != "$("$REAL_YQ" '.data["tls.crt"]' "$FAKE/objects/monitoring.secret.observability-tls")" ]
}

@test "the logins are lines that a web server takes" {
  install cloud
  password=$("$REAL_YQ" .stringData.admin "$FAKE/objects/monitoring.secret.observability-logins")
  expected="admin:{SHA}$(printf %s "$password" | openssl dgst -binary -sha1 | openssl base64)"
  [ "$("$REAL_YQ" .stringData.users "$FAKE/objects/monitoring.secret.observability-users" | head -n 1)" = "$expected" ]
}

@test "k3s' own metrics-server is patched once, with all its arguments" {
  printf 'kind: Deployment\nmetadata: {name: metrics-server}\nspec: {template: {spec: {containers: [{name: metrics-server, args: [--secure-port=10250, --kubelet-insecure-tls, --metric-resolution=60s]}]}}}\n' >"$FAKE/objects/kube-system.deployment.metrics-server"
  install cloud
  [ "$status" -eq 0 ]
  absent 'install metrics-server' "$FAKE/calls"
  [ "$("$REAL_YQ" '.spec.template.spec.containers[0].args | join(" ")' "$FAKE/applied/patch-metrics-server-patch.yaml")" = "--secure-port=10250 --kubelet-insecure-tls --metric-resolution=15s" ]
  [ "$(grep -c 'patch deployment metrics-server' "$FAKE/calls")" -eq 1 ]
  install cloud
  [ "$(grep -c 'patch deployment metrics-server' "$FAKE/calls")" -eq 1 ]
  says "metrics-server has its settings already"
}

@test "the redirection uses the iptables in which Kubernetes' chains are" {
  kubeedge
  printf ':KUBE-SERVICES - [0:0]\n' >"$FAKE/answer-iptables-legacy-save"
  install cloud
  [ "$status" -eq 0 ]
  absent 'set image' "$FAKE/calls"
  says "redirection of kubelet ports, with legacy"
  rm "$FAKE/answer-iptables-legacy-save" && printf 'iptables v1.8.9 (nf_tables)\n' >"$FAKE/answer-iptables"
  install cloud
  calls 'set image daemonset/cloud-iptables-manager iptables-manager=docker.io/kubeedge/iptables-manager-nft:v1.23.1'
}

@test "EdgeMesh keeps the key and the relay of an installation before" {
  printf '{"agent":{"psk":"kept-psk-of-this-site","relayNodes":[{"nodeName":"%s"}]}}' "$(uname -n)" >"$FAKE/values-edgemesh"
  printf '1 deployed\n' >"$FAKE/releases/edgemesh"
  install cloud
  [ "$status" -eq 0 ]
  [ "$("$REAL_YQ" .stringData.psk "$FAKE/objects/kubeedge.secret.edgemesh-psk")" = kept-psk-of-this-site ]
  grep -q kept-psk-of-this-site "$FAKE/releases/edgemesh"
}

@test "preflight tells what is missing before anything is done" {
  sed -i '/get storageclass/d; /get nodes -l !/d' "$FAKE/answers"
  install cloud
  [ "$status" -eq 1 ]
  says "FAIL  nodes"
  says "FAIL  storage"
  absent -E 'apply|upgrade|import' "$FAKE/calls"
}

@test "preflight tells the kind of iptables, and of two that there are" {
  kubeedge
  printf ':KUBE-SERVICES - [0:0]\n' >"$FAKE/answer-iptables-legacy-save"
  install preflight
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  says "PASS  iptables               the iptables of this host is legacy"
  printf ':KUBE-SERVICES - [0:0]\n' >"$FAKE/answer-iptables-nft-save"
  install preflight
  [ "$status" -eq 0 ]
  says "WARN  iptables"
  says "restart the host"
}

@test "preflight looks whether cloudcore is up" {
  kubeedge
  install preflight
  [ "$status" -eq 0 ]
  says "WARN  cloudcore"
  answer 'get deployment cloudcore -o jsonpath={.status' True
  install preflight
  says "PASS  cloudcore"
}

@test "k3s is found where its own script puts it, which sudo leaves out" {
  mkdir -p "$INSTALL_ROOT/usr/local/bin"
  printf '#!/bin/sh\nprintf "k3s %%s\\n" "$*" >>"$FAKE/calls"\nshift; exec ctr "$@"\n' >"$INSTALL_ROOT/usr/local/bin/k3s"
  chmod 755 "$INSTALL_ROOT/usr/local/bin/k3s"
  install images
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  calls 'k3s ctr -n k8s.io images import'
}

@test "preflight knows how k3s reaches edges" {
  printf '#!/bin/sh\nshift; exec ctr "$@"\n' >"$BATS_TEST_TMPDIR/bin/k3s" && chmod 755 "$BATS_TEST_TMPDIR/bin/k3s"
  install preflight
  [ "$status" -eq 1 ]
  says "egress-selector-mode is agent"
  mkdir -p "$INSTALL_ROOT/etc/rancher/k3s" "$INSTALL_ROOT/etc/systemd/system"
  printf "ExecStart=/usr/local/bin/k3s \\\\\n    server \\\\\n\t'--egress-selector-mode=disabled' \\\\\n" >"$INSTALL_ROOT/etc/systemd/system/k3s.service"
  install preflight
  [ "$status" -eq 0 ]
  rm "$INSTALL_ROOT/etc/systemd/system/k3s.service"
  printf 'egress-selector-mode: disabled\n' >"$INSTALL_ROOT/etc/rancher/k3s/config.yaml"
  install preflight
  [ "$status" -eq 0 ]
}

@test "preflight refuses a chart that is for another Kubernetes" {
  sed -i 's/>=1.25.0-0/>=1.40.0-0/' "$BATS_TEST_TMPDIR/charts/stack/Chart.yaml"
  make_chart "$bundle" stack '' && seal "$bundle"
  install preflight
  [ "$status" -eq 1 ]
  says "stack-1.0.0.tgz wants Kubernetes >=1.40.0-0"
}

@test "preflight as JSON is one document" {
  install preflight --format json
  [ "$status" -eq 0 ]
  "$REAL_YQ" -p=json -e '.checks | map(select(.check == "api" and .status == "PASS")) | length == 1' <<<"$(grep -v '^==>' <<<"$output")"
}

@test "nothing reaches out: it installs in a network namespace with nothing in it" {
  unshare -n true 2>/dev/null || without "this user may not make network namespaces"
  kubeedge
  run unshare -n bash "$bundle/install.sh" cloud </dev/null
  [ "$status" -eq 0 ]
  [[ $output != *"dial tcp"* ]]
}

@test "who publishes a bundle can look at it where there is no cluster, no root and nothing to run but bash" {
  printf '#!/bin/sh\necho 1000\n' >"$BATS_TEST_TMPDIR/bin/id" && chmod 755 "$BATS_TEST_TMPDIR/bin/id"
  fail_when 'kubectl '
  install preflight --dry-run
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  says "PASS  kube-prometheus-stack"
  absent kubectl "$FAKE/calls"
  install preflight --dry-run --profile edge
  [ "$status" -eq 0 ]
  # Programs for the other architecture do not run here.
  printf '#!/bin/sh\necho aarch64\n' >"$BATS_TEST_TMPDIR/bin/uname" && chmod 755 "$BATS_TEST_TMPDIR/bin/uname"
  printf 'no program' >"$bundle/files/yq" && printf 'no program' >"$bundle/files/helm" && seal "$bundle"
  install preflight --dry-run
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  printf 'broken: [\n' >"$bundle/components/kube-prometheus-stack/values.yaml"
  install preflight --dry-run
  [ "$status" -eq 1 ]
}

@test "the site's own certificate stays, and its CA is asked for" {
  printf 'kind: Secret\nmetadata: {name: observability-tls}\ndata: {tls.crt: b3du}\n' >"$FAKE/objects/monitoring.secret.observability-tls"
  install cloud
  [ "$status" -eq 1 ]
  says "needs its CA in the ConfigMap observability-ca"
  printf 'kind: ConfigMap\ndata: {ca.crt: "own CA"}\n' >"$FAKE/objects/monitoring.configmap.observability-ca"
  install cloud
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  [ "$("$REAL_YQ" '.data["tls.crt"]' "$FAKE/objects/monitoring.secret.observability-tls")" = b3du ]
  [ "$("$REAL_YQ" '.stringData["ca.crt"]' "$FAKE/objects/monitoring.secret.edge-push")" = "own CA" ]
}
