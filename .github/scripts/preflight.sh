#!/usr/bin/env bash
# Unpacks a bundle and runs its own installer's preflight as an operator would, touching nothing.
#
#   preflight.sh BUNDLE PROFILE
set -euo pipefail

bundle=${1:?usage: preflight.sh BUNDLE PROFILE}
profile=${2:?usage: preflight.sh BUNDLE PROFILE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

parts=("$bundle")
case $bundle in *.part-001) parts=("${bundle%001}"[0-9]*) ;; esac
cat -- "${parts[@]}" | tar -xzf - -C "$work"
(cd "$work" && sha256sum --check --quiet SHA256SUMS && ./install.sh preflight --dry-run --profile "$profile")
