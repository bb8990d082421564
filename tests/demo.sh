#!/usr/bin/env bash
# The main job from end to end: the project's own catalog, resolved and packed for both architectures, against an
# upstream on this machine. Everything it writes is in target/demo/.
set -euo pipefail
cd "$(dirname "$0")/.."

# The embedded upstream's histories end in August 2026; a fixed day makes every run choose the same versions.
as_of=2026-08-28
architectures=(arm64 amd64)
demo=target/demo
# `DEMO_PROFILE=dev make demo` is for those who work on bundler and do not want to wait for the linker.
profile=${DEMO_PROFILE:-release}

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }
[ -t 2 ] || say() { printf '\n%s\n' "$*" >&2; }

say "Building bundler and the embedded upstream"
cargo build --locked --profile "$profile" --bin bundler --example upstream
target=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
helm=$(tests/helm.sh)

mkdir -p "$demo/home"
rm -f "$demo"/*.tar.gz "$demo"/*.sha256 "$demo"/contents-*.txt

# The upstream ends when its stdin does, and that is when this script ends, however it ends.
coproc UPSTREAM { exec "$target/examples/upstream" "$demo/config.yaml"; }
read -r _ address <&"${UPSTREAM[0]}"

# An environment of its own: no credentials, proxies or caches of the person who runs this.
bundler() {
  env -i PATH="$PATH" HOME="$PWD/$demo/home" TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
    "$target/bundler" --config "$demo/config.yaml" "$@"
}
kept=(--lock "$demo/bundle.lock.yaml" --cache-dir "$demo/cache")

say "Resolving manifests/ as of $as_of"
# The stand-ins carry no signatures; the lock says so.
bundler resolve "${kept[@]}" --skip-signatures --as-of "$as_of" --helm "$helm"

bundles=()
for arch in "${architectures[@]}"; do
  say "Packing for $arch"
  bundler pack "${kept[@]}" --arch "$arch" --output "$demo/"
  bundles+=("$(basename "$(ls "$demo"/*-linux-"$arch".tar.gz)")")
done

say "Checking with sha256sum, bundler verify and tar"
for position in "${!bundles[@]}"; do
  bundle=${bundles[$position]}
  (cd "$demo" && sha256sum -c "$bundle.sha256")
  bundler verify "$demo/$bundle"
  tar -tvzf "$demo/$bundle" >"$demo/contents-${architectures[$position]}.txt"
done

lines() { grep -c "$1" "$2" || true; }
first=$demo/contents-${architectures[0]}.txt
cat <<EOF

What happened here:
  1. An upstream ran at $address: GitHub, Helm repositories, downloads and registries.
  2. bundler chose $(lines '^  [a-z].*:$' <(sed -n '/^components:/,/^images:/p' "$demo/bundle.lock.yaml")) components as they were on $as_of and wrote $demo/bundle.lock.yaml.
  3. Real Helm ($("$helm" version --short 2>/dev/null)) rendered the charts with our values; that is how the images were found.
  4. bundler packed $(wc -l <"$first") members for ${architectures[0]}: $(lines ' blobs/sha256/.' "$first") blobs, $(lines ' charts/.' "$first") charts, $(lines ' files/.' "$first") files.
EOF
number=5
for bundle in "${bundles[@]}"; do
  echo "  $number. $demo/$bundle has $(numfmt --to=si --round=nearest --suffix=B "$(stat -c %s "$demo/$bundle")"); sha256sum and bundler verify passed."
  number=$((number + 1))
done
cat <<EOF
  7. GNU tar listed them: $demo/contents-${architectures[0]}.txt and $demo/contents-${architectures[1]}.txt.
  8. The cache is $demo/cache: another \`make demo\` downloads only what changed.
  9. Nothing outside $demo was written but Cargo's target directory.
 10. \`make clean-demo\` removes it. Against the internet it is $target/bundler resolve, then pack --arch arm64.
EOF
