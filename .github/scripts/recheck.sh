#!/usr/bin/env bash
# Downloads what a release holds and checks all of it again: sums, programs, bundles, and that base and delta give the
# bundle byte for byte.
#
#   recheck.sh TAG DIRECTORY      PREVIOUS: the tag of the release before, or empty; GITHUB_REPOSITORY; GH_TOKEN
set -euo pipefail

tag=${1:?usage: recheck.sh TAG DIRECTORY}
directory=${2:?usage: recheck.sh TAG DIRECTORY}
repository=${GITHUB_REPOSITORY:?}

mkdir -p "$directory/base"
gh release download "$tag" --repo "$repository" --dir "$directory" --skip-existing
cd "$directory"
sha256sum --check --quiet SHA256SUMS
named=$(cut -c 67- SHA256SUMS | sort)
there=$(find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%P\n' | sort)
if [ "$named" != "$there" ]; then
  printf '::error::the release has other files than its SHA256SUMS names:\n%s\n' "$(diff <(echo "$named") <(echo "$there") || true)" >&2
  exit 1
fi

program=(bundler-"${tag#v}"-linux-amd64)
chmod +x "${program[0]}"
bundler() { "./${program[0]}" "$@"; }

checked=0
for bundle in *.tar.gz *.tar.gz.part-001; do
  [ -f "$bundle" ] || continue
  bundler verify --progress none "$bundle"
  checked=$((checked + 1))
  case $bundle in *-delta-linux-*) ;; *) continue ;; esac
  # The same profile and arch of the release before.
  rest=${bundle#*-"${tag#v}"-}
  rest=${rest%.part-001}
  pattern="*-${PREVIOUS#v}-${rest/-delta-linux-/-linux-}"
  for wanted in "$pattern" "$pattern.part-*"; do
    gh release download "$PREVIOUS" --repo "$repository" --pattern "$wanted" --dir base --skip-existing || true
  done
  # Unquoted: it is a pattern.
  # shellcheck disable=SC2206
  base=(base/$pattern base/$pattern.part-001)
  [ -f "${base[0]}" ] || base=("${base[1]}")
  whole=${bundle%.part-001}
  whole=${whole/-delta-linux-/-linux-}
  bundler apply --progress none "${base[0]}" "$bundle" --output "applied-$whole"
  # A bundle that is too large for a release is there in parts, which may be more than the delta has.
  published=("$whole")
  [ -f "$whole" ] || published=("$whole".part-*)
  cat -- "${published[@]}" | cmp - "applied-$whole"
  rm "applied-$whole"
done
if [ "$checked" -eq 0 ]; then
  printf '::error::the release has no bundle\n' >&2
  exit 1
fi
printf '%s bundles of %s are good\n' "$checked" "$tag"
