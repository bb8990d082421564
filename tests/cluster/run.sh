#!/usr/bin/env bash
# `make test-cluster`: see cluster.bats.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/tools.sh programs
tests/tools.sh yq
tests/cluster/tools.sh
cargo build --locked --bin bundler --example upstream
bats tests/cluster
