#!/usr/bin/env bash
# Says which version a release has, and which one came before it.
#
# GITHUB_REF_TYPE, GITHUB_REF_NAME: a pushed tag vX.Y.Z; or WANTED: the version of a release by hand.
set -euo pipefail

fail() {
  printf '::error::%s\n' "$*" >&2
  exit 1
}

if [ "${GITHUB_REF_TYPE:-}" = tag ]; then version=${GITHUB_REF_NAME:?}; else version=v${WANTED:?no version was given}; fi
# SemVer 2.0 without build metadata, which neither tags nor names of files take well.
number='(0|[1-9][0-9]*)'
[[ $version =~ ^v$number\.$number\.$number(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$ ]] ||
  fail "'$version' is no version: a release has a tag such as v1.2.3 or v1.2.3-rc.1"

stable='^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$'
# The highest stable version below this one, whatever was tagged last. `sort -V` puts 1.2.3-rc.1 after 1.2.3, so the
# pre-release is compared by its numbers: what came before 1.2.3-rc.1 came before 1.2.3.
own=${version%%-*}
previous=
while IFS= read -r tag; do
  if [ "$tag" = "$own" ] || [ "$(printf '%s\n%s\n' "$tag" "$own" | sort -V | head -n 1)" != "$tag" ]; then continue; fi
  previous=$tag
done < <(git tag --list 'v*' | sed -En "/$stable/p" | sort -V)

prerelease=false
[[ $version != *-* ]] || prerelease=true
{
  printf 'version=%s\n' "${version#v}"
  printf 'tag=%s\n' "$version"
  printf 'previous=%s\n' "$previous"
  printf 'prerelease=%s\n' "$prerelease"
} >>"${GITHUB_OUTPUT:-/dev/stdout}"
printf 'releasing %s after %s\n' "$version" "${previous:-nothing}" >&2
