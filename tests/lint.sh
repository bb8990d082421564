#!/usr/bin/env bash
# Every script of the repository under shellcheck.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v shellcheck >/dev/null; then
  echo "skipped: shellcheck is not installed (make tools)" >&2
  [ "${CI:-}" != true ]
  exit
fi
mapfile -t scripts < <(find . -path ./target -prune -o -name .git -prune -o -path ./manifests/install/install.sh -prune -o -type f -exec grep -lE '^#!.*\b(ba|da)?sh$' {} +)
shellcheck "${scripts[@]}"
# The installer's parts are no scripts of their own: they are read where install.sh reads them.
(cd manifests/install && shellcheck -x -a install.sh)
# Under pipefail, what stops reading early ends the program before it with SIGPIPE, now and then, and the script with it.
if grep -rnE '[^|]\| *(head|grep -[A-Za-z]*q|grep -m|awk [^|]*exit)' manifests/install --include='*.sh'; then
  echo "a pipe into a program that stops early" >&2
  exit 1
fi
echo "shellcheck: ${#scripts[@]} scripts are clean"
