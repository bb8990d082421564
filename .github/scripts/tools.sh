#!/usr/bin/env bash
# Builds the bundler of this commit, which resolves the catalog of this commit, and gets the Helm that it renders with.
set -euo pipefail

cargo build --locked --release --bin bundler
mkdir -p "${RUNNER_TEMP:?}/bin"
install -m 0755 target/release/bundler "$RUNNER_TEMP/bin/bundler"
helm=$(tests/helm.sh)
install -m 0755 "$helm" "$RUNNER_TEMP/bin/helm"
printf '%s\n' "$RUNNER_TEMP/bin" >>"${GITHUB_PATH:-/dev/stdout}"
