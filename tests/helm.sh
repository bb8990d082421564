#!/usr/bin/env bash
# Prints the path of a Helm: that of PATH, else one kept in target/tools/bin, which Go builds or a pinned download fills.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v4.2.4
# Of helm-v4.2.4-linux-amd64.tar.gz; other machines need Go.
amd64_sha256=c306b46f719b0a4da32d0f78ee21bf90ce8d602f15b22ab753f0674d1670a7f3
bin=$PWD/target/tools/bin

say() { printf 'helm: %s\n' "$*" >&2; }

if command -v helm; then
  exit 0
fi
if [ -x "$bin/helm" ]; then
  echo "$bin/helm"
  exit 0
fi

mkdir -p "$bin"
if command -v go >/dev/null; then
  say "building $version with Go"
  if GOBIN=$bin go install "helm.sh/helm/v4/cmd/helm@$version" >&2; then
    echo "$bin/helm"
    exit 0
  fi
  say "Go could not build it"
fi

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  say "not found: install Helm 4 or Go, then try again"
  exit 1
fi
say "downloading $version"
work=$(mktemp -d "$bin/.helm.XXXXXX")
trap 'rm -rf "$work"' EXIT
curl -fsSL --retry 3 -o "$work/helm.tar.gz" "https://get.helm.sh/helm-$version-linux-amd64.tar.gz"
echo "$amd64_sha256  $work/helm.tar.gz" | sha256sum -c --quiet - >&2
tar -xzf "$work/helm.tar.gz" -C "$work" linux-amd64/helm
mv "$work/linux-amd64/helm" "$bin/helm"
echo "$bin/helm"
