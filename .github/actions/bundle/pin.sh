#!/usr/bin/env bash
# Pins the action to the programs of a release: writes pinned.txt from what was published, after its attestation was
# checked. Run it once after a release, and commit.
#
#   pin.sh OWNER/NAME VERSION
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=${1:?usage: pin.sh OWNER/NAME VERSION}
version=${2:?usage: pin.sh OWNER/NAME VERSION}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gh release download "v$version" --repo "$repository" --pattern "bundler-$version-*" --dir "$work"
cd "$work"
sha256sum --check --quiet -- *.sha256
rm -- *.sha256
for program in *; do
  gh attestation verify "$program" --repo "$repository" >/dev/null
done
{
  echo "# The programs of the release that this action uses, as \`sha256sum\` writes them; pin.sh makes this file."
  sha256sum -- *
} >"$here/pinned.txt"
