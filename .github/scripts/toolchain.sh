#!/usr/bin/env bash
# Gets what build.sh needs on a hosted runner: Rust's target, and on Linux the C compiler of musl.
#
#   toolchain.sh PLATFORM      linux-amd64, linux-arm64 or macos-arm64
set -euo pipefail

target=$("$(dirname "${BASH_SOURCE[0]}")/target.sh" "${1:?usage: toolchain.sh PLATFORM}")
rustup target add "$target"
if [[ $1 == linux-* ]]; then
  sudo apt-get update -qq
  sudo apt-get install -qq -y --no-install-recommends musl-tools
fi
