#!/usr/bin/env bash
# DIRECTORY VERSION: resolves the project's own catalog against the embedded upstream and packs the cloud's part of it into
# DIRECTORY/bundle-VERSION, with the real helm and yq. With BUNDLER_CHARTS=DIR the real charts take the place of the small ones.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$1 version=$2
target=${CARGO_TARGET_DIR:-target}/debug
helm=$(tests/helm.sh)
mkdir -p "$work/home"

coproc UPSTREAM { exec "$target/examples/upstream" "$work/config.yaml"; }
read -r _ _ <&"${UPSTREAM[0]}"
bundler() {
  env -i PATH="$PATH" HOME="$work/home" LC_ALL=C.UTF-8 "$target/bundler" --config "$work/config.yaml" --quiet "$@"
}
kept=(--lock "$work/bundle.lock.yaml" --cache-dir "$work/cache")
[ -e "$work/bundle.lock.yaml" ] || bundler resolve "${kept[@]}" --as-of 2026-08-28 --helm "$helm"

# All of the cloud but the programs that the embedded upstream only pretends to have, and what is too large to matter.
components=()
while read -r component; do
  components+=(--component "$component")
done < <(target/tools/bin/yq '.profiles.cloud[] | select(. != "helm" and . != "yq" and . != "k3s" and . != "nerdctl" and . != "edgecore-binary")' "$work/bundle.lock.yaml")
bundler pack "${kept[@]}" --arch amd64 --profile cloud "${components[@]}" --bundle-version "$version" \
  --add-file "files/helm=$(readlink -f "$helm")" --add-file "files/yq=target/tools/bin/yq" --output "$work/$version.tar.gz"
mkdir "$work/bundle-$version"
tar -xzf "$work/$version.tar.gz" -C "$work/bundle-$version"
rm "$work/$version.tar.gz"

[ -n "${BUNDLER_CHARTS:-}" ] || exit 0
cd "$work/bundle-$version"
for chart in charts/*.tgz; do
  name=$(tar -xzOf "$chart" --wildcards '*/Chart.yaml' 2>/dev/null | awk '/^name:/ { print $2; exit }')
  mapfile -t real < <(find "$BUNDLER_CHARTS" -path "*.*/$name-[0-9]*.tgz" | LC_ALL=C sort -V)
  if [ ${#real[@]} -eq 0 ]; then
    echo "cluster: no real chart of $name" >&2
    continue
  fi
  cp "${real[-1]}" "$chart"
done
find . -type f ! -name SHA256SUMS | cut -c3- | LC_ALL=C sort | while read -r file; do sha256sum -- "$file"; done >../sums
mv ../sums SHA256SUMS
