#!/usr/bin/env bash
# Writes the notes of a release: what changed in the lock since the release before, else what is inside.
#
#   notes.sh LOCK PROGRAM      PREVIOUS: the tag of the release before, or empty. PROGRAM: the bundler to ask.
# Notes go to stdout.
set -euo pipefail

lock=${1:?usage: notes.sh LOCK PROGRAM}
program=$(realpath "${2:?usage: notes.sh LOCK PROGRAM}")
chmod +x "$program"
bundler() { "$program" "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "${PREVIOUS:-}" ] && git cat-file -e "$PREVIOUS:$lock" 2>/dev/null; then
  git show "$PREVIOUS:$lock" >"$work/$PREVIOUS.lock.yaml"
  printf '## Since %s\n\n' "$PREVIOUS"
  bundler diff --format markdown "$work/$PREVIOUS.lock.yaml" "$lock"
else
  bundler inspect --format markdown "$lock"
fi
cat <<'END'

## Before you use it

    sha256sum --check --ignore-missing SHA256SUMS
    bundler verify FILE.tar.gz

Parts are read as one: name the first. Who built a file is said by `gh attestation verify FILE --repo OWNER/NAME`.
END
