#!/usr/bin/env bash
# Prints Rust's name of a platform that has a build.
#
#   target.sh PLATFORM      linux-amd64, linux-arm64 or macos-arm64
set -euo pipefail

case ${1:?usage: target.sh PLATFORM} in
  linux-amd64) echo x86_64-unknown-linux-musl ;;
  linux-arm64) echo aarch64-unknown-linux-musl ;;
  macos-arm64) echo aarch64-apple-darwin ;;
  *)
    printf '::error::there is no build for %s\n' "$1" >&2
    exit 1
    ;;
esac
