#!/usr/bin/env bash
# The installers' tests: recording programs on PATH, a root directory of their own, and nothing of this host changed.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v bats >/dev/null; then
  echo "skipped: bats is not installed (make tools)" >&2
  [ "${CI:-}" != true ]
  exit
fi
bats "${@:-tests/install}"
