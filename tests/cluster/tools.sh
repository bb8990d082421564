#!/usr/bin/env bash
# Builds a control plane for `make test-cluster` into target/tools/cluster, all of it from the Go module proxy. Run again,
# it does nothing.
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
  for stages in node/fast node/heartbeat pod/fast volume/fast; do
    for file in "$module/$stages"/*.yaml; do
      [[ $file == */kustomization.yaml || $file == */storage-class.yaml ]] || { cat "$file" && printf -- '---\n'; }
    done
  done | sed "s/'kwok-volume'/'local-path'/" >"$bin/stages.new"
  mv "$bin/stages.new" "$bin/stages.yaml"
fi
if [ ! -x "$bin/etcd" ]; then
  say "building etcd"
  (cd tests/cluster/programs && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$bin/etcd" ./etcd)
fi
