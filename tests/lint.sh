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
echo "shellcheck: ${#scripts[@]} scripts are clean"
