#!/usr/bin/env bash
# Builds the program for one platform and puts it into a directory with its sha256.
#
#   build.sh VERSION PLATFORM DIRECTORY      PLATFORM: linux-amd64, linux-arm64 or macos-arm64
set -euo pipefail

version=${1:?usage: build.sh VERSION PLATFORM DIRECTORY}
platform=${2:?usage: build.sh VERSION PLATFORM DIRECTORY}
directory=${3:?usage: build.sh VERSION PLATFORM DIRECTORY}

target=$("$(dirname "${BASH_SOURCE[0]}")/target.sh" "$platform")
declared=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if [ "${version%%-*}" != "$declared" ]; then
  printf '::error file=Cargo.toml::the release is %s and Cargo.toml says %s: set its version, or tag the other commit\n' \
    "$version" "$declared" >&2
  exit 1
fi

cargo build --locked --release --bin bundler --target "$target"
name=bundler-$version-$platform
mkdir -p "$directory"
install -m 0755 "target/$target/release/bundler" "$directory/$name"
cd "$directory"
if command -v sha256sum >/dev/null; then sha256sum "$name"; else shasum -a 256 "$name"; fi >"$name.sha256"
# On a site there may be no C library of a fitting age.
if [[ $platform == linux-* ]] && ldd "$name" >/dev/null 2>&1; then
  printf '::error::%s needs shared libraries\n' "$name" >&2
  exit 1
fi
