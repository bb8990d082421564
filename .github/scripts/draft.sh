#!/usr/bin/env bash
# Makes a draft of the release with everything in a directory. Nobody sees it before publish.sh.
#
#   draft.sh TAG DIRECTORY NOTES      GITHUB_REPOSITORY, GITHUB_SHA, GH_TOKEN; PRERELEASE: true or false
set -euo pipefail

tag=${1:?usage: draft.sh TAG DIRECTORY NOTES}
directory=${2:?usage: draft.sh TAG DIRECTORY NOTES}
notes=${3:?usage: draft.sh TAG DIRECTORY NOTES}
repository=${GITHUB_REPOSITORY:?}

# A release that is out never changes; a draft is what a failed run left.
state=$(gh release view "$tag" --repo "$repository" --json isDraft --jq .isDraft 2>/dev/null || echo none)
case $state in
  none) ;;
  true) gh release delete "$tag" --repo "$repository" --yes ;;
  *)
    printf '::error::%s is published already, and a release never changes: release a new version\n' "$tag" >&2
    exit 1
    ;;
esac

rm -f "$directory/SHA256SUMS"
sums=$(cd "$directory" && sha256sum -- *)
printf '%s\n' "$sums" >"$directory/SHA256SUMS"
options=(--draft --title "$tag" --notes-file "$notes" --target "${GITHUB_SHA:?}")
[ "${PRERELEASE:-false}" != true ] || options+=(--prerelease)
gh release create "$tag" --repo "$repository" "${options[@]}" ||
  { printf '::error::the draft could not be made: the token needs contents: write\n' >&2; exit 1; }
gh release upload "$tag" --repo "$repository" "$directory"/*
