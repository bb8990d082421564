#!/usr/bin/env bash
# Downloads the bundle of the release before this one, which a delta leaves out; says nothing when there is none.
#
#   base.sh ARCH PROFILE DIRECTORY      PREVIOUS: its tag, or empty; GITHUB_REPOSITORY; GH_TOKEN
set -euo pipefail

arch=${1:?usage: base.sh ARCH PROFILE DIRECTORY}
profile=${2:?usage: base.sh ARCH PROFILE DIRECTORY}
directory=${3:?usage: base.sh ARCH PROFILE DIRECTORY}

base=
if [ -n "${PREVIOUS:-}" ]; then
  mkdir -p "$directory"
  suffix=$profile-linux-$arch.tar.gz
  # A release without this profile, or without assets, has no base; a failed download of one that is there ends the job.
  names=$(gh release view "$PREVIOUS" --repo "${GITHUB_REPOSITORY:?}" --json assets --jq '.assets[].name' || true)
  while IFS= read -r name; do
    case $name in
      *"-$suffix" | *"-$suffix.part-"[0-9]*)
        gh release download "$PREVIOUS" --repo "$GITHUB_REPOSITORY" --pattern "$name" --dir "$directory" --skip-existing
        ;;
    esac
  done <<<"$names"
  for file in "$directory"/*-"$suffix" "$directory"/*-"$suffix".part-001; do
    if [ -f "$file" ]; then base=$file; fi
  done
  [ -n "$base" ] || printf '::notice::%s has no bundle of %s for %s, so there is no delta\n' "$PREVIOUS" "$profile" "$arch" >&2
fi
printf 'base=%s\n' "$base" >>"${GITHUB_OUTPUT:-/dev/stdout}"
