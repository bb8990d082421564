#!/usr/bin/env bash
# usage: CHARTS=DIR tests/umbrella.sh
# Weighs the Secret that Helm would keep one release of all charts in, and of each chart alone: the measurement behind
# docs/decisions on a parent chart. DIR/<repository's host>/<name>-<version>.tgz are the real charts.
set -euo pipefail
cd "$(dirname "$0")/.."
charts=${CHARTS:?a directory with the real charts}
helm=$(tests/helm.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What Helm stores: the release as JSON, gzip -9, base64. The chart's dependencies are not in it, their templates only as
# they came out.
weigh() {
  local release=$1 chart=$2
  shift 2
  "$helm" install "$release" "$chart" --namespace monitoring --dry-run=client --output json "$@" >"$work/release.json"
  gzip -9 <"$work/release.json" | base64 -w0 | wc -c
}

parent=$work/parent
mkdir -p "$parent/charts"
printf 'apiVersion: v2\nname: observability\nversion: 0.1.0\ndependencies:\n' >"$parent/Chart.yaml"
printf '%8s  %s\n' bytes release
for component in manifests/components/*/component.yaml; do
  values=$(dirname "$component")/values.yaml
  [ -e "$values" ] || continue
  name=$(sed -n '/^chart:/,/^[a-z]/s/^  name: //p' "$component")
  [ -n "$name" ] || continue
  host=$(sed -n '/^chart:/,/^[a-z]/s/^  \(repository\|url\): "\{0,1\}[a-z]*:\/\/\([^/"]*\).*/\2/p' "$component")
  archive=$(find "$charts/$host" -name "$name-[0-9]*.tgz" | sort -V | tail -n 1)
  [ -n "$archive" ] || { echo "no archive of $name in $charts" >&2; exit 1; }
  bytes=$(weigh "$name" "$archive" --values "$values")
  printf '%8d  %s\n' "$bytes" "$name"
  cp "$archive" "$parent/charts/"
  version=$("$helm" show chart "$archive" | sed -n 's/^version: //p')
  printf '  - {name: %s, version: "%s"}\n' "$name" "$version" >>"$parent/Chart.yaml"
  { printf '%s:\n' "$name"; sed 's/^/  /' "$values"; } >>"$parent/values.yaml"
done
bytes=$(weigh observability "$parent")
printf '%8d  %s\n' "$bytes" "all as one (the limit of a Secret is 1048576)"
