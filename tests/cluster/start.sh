#!/usr/bin/env bash
# DIRECTORY: starts a control plane on free ports of loopback, with two nodes of the cloud and an edge that kwok plays, and
# writes DIRECTORY/kubeconfig and DIRECTORY/pids. `kill $(cat DIRECTORY/pids)` ends it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$here/../../target/tools/cluster
mkdir -p "$1/objects"
cd "$1"

read -r etcd peer api controllers < <(python3 -c '
import socket
sockets = [socket.socket() for _ in range(4)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])')

: >pids
start() {
  local name=$1
  shift
  "$@" >"$name.log" 2>&1 3>&- &
  echo $! >>pids
}

openssl genrsa -out sa.key 2048 2>/dev/null
echo 'token-of-the-test,admin,1,system:masters' >tokens.csv
start etcd "$bin/etcd" --data-dir etcd --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
  --listen-peer-urls "http://127.0.0.1:$peer" --unsafe-no-fsync
start apiserver "$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd" --service-account-key-file=sa.key \
  --service-account-signing-key-file=sa.key --service-account-issuer=https://kubernetes.default.svc --token-auth-file=tokens.csv \
  --authorization-mode=Node,RBAC --cert-dir=certs --secure-port="$api" --bind-address=127.0.0.1 \
  --service-cluster-ip-range=10.43.0.0/16 --allow-privileged
cat >kubeconfig <<EOF
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:$api", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: token-of-the-test}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
EOF
kubectl() { "$bin/kubectl" --kubeconfig kubeconfig "$@"; }
for _ in $(seq 600); do
  ! kubectl get --raw /readyz >/dev/null 2>&1 || break
  kill -0 "$(sed -n 2p pids)"
  sleep 0.1
done
start controllers "$bin/kube-controller-manager" --kubeconfig=kubeconfig --service-account-private-key-file=sa.key \
  --root-ca-file=certs/apiserver.crt --controllers='*,-nodeipam' --leader-elect=false --secure-port="$controllers"
start scheduler "$bin/kube-scheduler" --kubeconfig=kubeconfig --secure-port=0 --leader-elect=false
start kwok "$bin/kwok" --kubeconfig=kubeconfig --manage-all-nodes=true --config="$bin/stages.yaml"
kubectl apply -f "$here/objects" >/dev/null
for node in cloud worker edge-1; do
  kubectl wait --for=condition=Ready --timeout=60s "node/$node" >/dev/null
done
