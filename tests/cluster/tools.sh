#!/usr/bin/env bash
# Builds a control plane for `make test-cluster` into target/tools/cluster: Kubernetes and kwok from the Go module proxy,
# etcd from Debian's package. Run again, it does nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

kwok=v0.8.0
# What the programs say of themselves; a build from a module would not know.
version=v1.34.2
stamp=
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=34"
done
bin=$PWD/target/tools/cluster
say() { printf 'cluster: %s\n' "$*" >&2; }

mkdir -p "$bin"
for program in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  if [ ! -x "$bin/$program" ]; then
    say "building $program"
    (cd tests/cluster/programs && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w $stamp" -o "$bin/" "k8s.io/kubernetes/cmd/$program")
  fi
done
if [ ! -x "$bin/kwok" ]; then
  say "building kwok"
  CGO_ENABLED=0 GOBIN=$bin go install "sigs.k8s.io/kwok/cmd/kwok@$kwok"
fi
if [ ! -e "$bin/stages.yaml" ]; then
  module=$(go env GOMODCACHE)/sigs.k8s.io/kwok@$kwok/kustomize/stage
  for stages in node/fast node/heartbeat pod/fast; do
    for file in "$module/$stages"/*.yaml; do
      [[ $file == */kustomization.yaml ]] || { cat "$file" && printf -- '---\n'; }
    done
  done >"$bin/stages.new"
  mv "$bin/stages.new" "$bin/stages.yaml"
fi
if [ ! -x "$bin/etcd" ]; then
  if command -v etcd >/dev/null; then
    ln -s "$(command -v etcd)" "$bin/etcd"
  else
    say "unpacking etcd"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get -qq download etcd-server && dpkg-deb -x etcd-server_*.deb .)
    cp "$work/usr/bin/etcd" "$bin/etcd"
  fi
fi
