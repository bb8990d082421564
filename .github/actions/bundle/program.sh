#!/usr/bin/env bash
# Gets the bundler that packs, checked against a sha256.
#
#   program.sh choose   says which one it will be and where caches are, as outputs of the step
#   program.sh get      downloads it unless it is there, checks it, and puts it on PATH
#
# BUNDLER_VERSION: empty for the one in pinned.txt, 1.2.3, 1.2.3@sha256:HEX, or the path of a program.
# BUNDLER_REPOSITORY: owner/name of the releases. Runs outside GitHub too, where it prints what it would hand over.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wanted=${BUNDLER_VERSION:-}
temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}

fail() {
  printf '::error::%s\n' "$*" >&2
  exit 1
}

platform() {
  local system machine
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) fail "there is no bundler for $(uname -s)" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "there is no bundler for $(uname -m)" ;;
  esac
  printf '%s-%s' "$system" "$machine"
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

# Sets `name`, `version` and `sum`; `sum` stays empty where only the release itself knows it.
choose() {
  local platform line
  platform=$(platform)
  sum=
  if [ -z "$wanted" ]; then
    line=$(sed -n "s/^\([0-9a-f]\{64\}\)  bundler-\(.*\)-$platform\$/\1 \2/p" "$here/pinned.txt")
    [ -n "$line" ] || fail "pinned.txt names no bundler for $platform: give bundler-version a version or the path of a program"
    read -r sum version <<<"$line"
  else
    version=${wanted%%@*}
    case $wanted in
      *@sha256:*) sum=${wanted#*@sha256:} ;;
      *@*) fail "bundler-version $wanted has a digest that is no sha256" ;;
    esac
  fi
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "bundler-version '$version' is neither a version such as 1.2.3 nor the path of a program"
  [[ -z $sum || $sum =~ ^[0-9a-f]{64}$ ]] || fail "bundler-version $wanted has a sha256 that is not 64 hexadecimal digits"
  name=bundler-$version-$platform
}

is_program() { [[ $wanted == */* ]]; }

directory() { printf '%s/bundler-program' "$temp"; }

command_choose() {
  local lock_sum arch=${ARCH:-} key=
  [ -f "${LOCK:=bundle.lock.yaml}" ] || fail "there is no lock at $LOCK: run \`bundler resolve\` and commit what it writes"
  lock_sum=$(sha256 "$LOCK")
  if ! is_program; then
    choose
    key=$name-${sum:-published}
  fi
  {
    printf 'key=%s\n' "$key"
    printf 'directory=%s\n' "$(directory)"
    printf 'store=%s/bundler-store\n' "$temp"
    printf 'store-prefix=bundler-store-%s-\n' "${arch// /_}"
    printf 'store-key=bundler-store-%s-%s\n' "${arch// /_}" "$lock_sum"
  } >>"${GITHUB_OUTPUT:-/dev/stdout}"
}

# A download that is cut or refused says so; one that is not what it should be never gets its name.
download() {
  local url=$1 to=$2
  curl --fail --silent --show-error --location --retry 3 --proto '=https,http' --proto-redir '=https' --output "$to.part" "$url" ||
    fail "could not download $url"
  mv "$to.part" "$to"
}

command_get() {
  local directory program published url
  directory=$(directory)
  mkdir -p "$directory/bin"
  program=$directory/bin/bundler
  if is_program; then
    [ -f "$wanted" ] || fail "bundler-version names the program $wanted, which is not there"
    install -m 0755 "$wanted" "$program"
  else
    choose
    url=${GITHUB_SERVER_URL:-https://github.com}/${BUNDLER_REPOSITORY:?}/releases/download/v$version/$name
    if [ -z "$sum" ]; then
      download "$url.sha256" "$directory/published"
      read -r published _ <"$directory/published" || true
      [[ $published =~ ^[0-9a-f]{64}$ ]] || fail "$url.sha256 is no sha256"
      sum=$published
      printf '::notice::bundler %s is checked against the sum of its own release; bundler-version %s@sha256:%s pins it\n' \
        "$version" "$version" "$sum" >&2
    fi
    if [ -f "$program" ] && [ "$(sha256 "$program")" != "$sum" ]; then
      printf '::warning::the cached bundler is not what it should be; downloading it again\n' >&2
      rm -f "$program"
    fi
    if [ ! -f "$program" ]; then
      download "$url" "$directory/download"
      if [ "$(sha256 "$directory/download")" != "$sum" ]; then
        rm -f "$directory/download"
        fail "$url is not what it should be: its sha256 is not $sum"
      fi
      install -m 0755 "$directory/download" "$program"
      rm -f "$directory/download"
    fi
  fi
  "$program" --version >&2 || fail "$program does not run here"
  printf '%s\n' "$directory/bin" >>"${GITHUB_PATH:-/dev/stdout}"
}

case ${1:-} in
  choose) command_choose ;;
  get) command_get ;;
  *) fail "usage: program.sh choose|get" ;;
esac
