#!/usr/bin/env bash
# Packs and verifies one bundle, and the delta to BASE when there is one.
#
# ARCH, PROFILE, LOCK, CATALOG, VERSION, BASE, SPLIT_SIZE, SIGN_KEY (the key itself), ADD_FILES, OUTPUT: the inputs of
# the action. Runs outside GitHub too, where it prints what it would hand over.
set -euo pipefail

fail() {
  printf '::error::%s\n' "$*" >&2
  exit 1
}

group() { printf '::group::%s\n' "$*" >&2; }
endgroup() { printf '::endgroup::\n' >&2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

read -ra archs <<<"${ARCH:?no architecture was given}"
read -ra profiles <<<"${PROFILE:-}"
output=${OUTPUT:-dist}
mkdir -p "$output"

arguments=(--catalog "${CATALOG:-manifests}" --lock "${LOCK:-bundle.lock.yaml}" --output "$output/")
for arch in "${archs[@]}"; do arguments+=(--arch "$arch"); done
for profile in "${profiles[@]}"; do arguments+=(--profile "$profile"); done
[ -z "${VERSION:-}" ] || arguments+=(--bundle-version "$VERSION")
[ -z "${SPLIT_SIZE:-}" ] || arguments+=(--split-size "$SPLIT_SIZE")
while IFS= read -r file; do
  [ -z "$file" ] || arguments+=(--add-file "$file")
done <<<"${ADD_FILES:-}"

verify=()
if [ -n "${SIGN_KEY:-}" ]; then
  # The key is in a file that only this user reads, never in an argument, and no line of it gets into the log.
  while IFS= read -r line; do
    [ -z "$line" ] || printf '::add-mask::%s\n' "$line"
  done <<<"$SIGN_KEY"
  (umask 077 && printf '%s\n' "$SIGN_KEY" >"$work/key")
  unset SIGN_KEY
  ssh-keygen -y -P '' -f "$work/key" >"$work/public" 2>"$work/why" ||
    fail "sign-key is no SSH private key without a passphrase"
  printf 'release namespaces="bundler" %s\n' "$(cat "$work/public")" >"$work/signers"
  arguments+=(--sign-key "$work/key")
  verify=(--signers "$work/signers" --identity release)
fi

# pack_and_verify TITLE JSON [ARGUMENT…]: what cannot be packed or is not good ends here, with bundler's own exit code.
pack_and_verify() {
  local title=$1 json=$2 status=0
  shift 2
  group "$title"
  bundler pack --format json --progress plain "${arguments[@]}" "$@" 2>&1 >"$json" | tee "$work/log" >&2 || status=$?
  endgroup
  [ "$status" -eq 0 ] || failed "$status" "bundler pack ended with $status"
  group "Verifying $(basename "$(first "$json")")"
  bundler verify --progress none "${verify[@]}" "$(first "$json")" >&2 || status=$?
  endgroup
  [ "$status" -eq 0 ] || failed "$status" "the bundle that was just packed is not good"
}

# failed STATUS WHAT: ends the step with what bundler said, as one annotation.
failed() {
  local said
  said=$(jq -Rr 'fromjson? | objects | select(.error) | [.error] + .causes + (if .hint then ["hint: " + .hint] else [] end)
    | join("\n")' "$work/log")
  printf '::error::%s: %s\n' "$2" "${said//$'\n'/%0A}" >&2
  exit "$1"
}

# The file to name to every command: the archive, or the first of its parts.
first() { jq -r '.parts[0] // .path' "$1"; }

pack_and_verify "Packing for ${archs[*]}${PROFILE:+, $PROFILE}" "$work/full.json"
delta=
if [ -n "${BASE:-}" ]; then
  pack_and_verify "Packing the delta to $(basename "$BASE")" "$work/delta.json" --base "$BASE"
  delta=$(first "$work/delta.json")
fi

{
  printf 'bundle=%s\n' "$(first "$work/full.json")"
  jq -r '"sha256=\(.sha256)", "size=\(.size)", "fetched=\(.fetched)"' "$work/full.json" | sed 's/=sha256:/=/'
  printf 'parts<<END_OF_PARTS\n'
  jq -r '.parts // [] | .[]' "$work/full.json"
  printf 'END_OF_PARTS\n'
  printf 'delta=%s\n' "$delta"
} >>"${GITHUB_OUTPUT:-/dev/stdout}"
