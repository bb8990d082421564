#!/usr/bin/env bash
# Shows a checked draft to everybody.
#
#   publish.sh TAG      GITHUB_REPOSITORY, GH_TOKEN
set -euo pipefail

tag=${1:?usage: publish.sh TAG}
gh release edit "$tag" --repo "${GITHUB_REPOSITORY:?}" --draft=false
