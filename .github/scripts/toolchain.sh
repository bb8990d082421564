#!/usr/bin/env bash
# Gets what build.sh needs on a hosted runner: Rust's target, and on Linux the C compiler of musl.
#
#   toolchain.sh PLATFORM      linux-amd64, linux-arm64 or macos-arm64
set -euo pipefail

case ${1:?usage: toolchain.sh PLATFORM} in
  linux-amd64) target=x86_64-unknown-linux-musl ;;
  linux-arm64) target=aarch64-unknown-linux-musl ;;
  macos-arm64) target=aarch64-apple-darwin ;;
  *)
    printf '::error::there is no build for %s\n' "$1" >&2
    exit 1
    ;;
esac
rustup target add "$target"
if [[ $1 == linux-* ]]; then
  sudo apt-get update -qq
  sudo apt-get install -qq -y --no-install-recommends musl-tools
fi
