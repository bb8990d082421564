#!/usr/bin/env bash
# Puts what people read beside a bundle: the page of `inspect --html` and the bill of materials.
#
#   extras.sh BUNDLE      the archive, or its first part
set -euo pipefail

bundle=${1:?usage: extras.sh BUNDLE}
name=${bundle%.part-001}
name=${name%.tar.gz}

bundler inspect --html "$name.html" "$bundle"
# The member alone: a bundle is read once, and no part of it is unpacked.
parts=("$bundle")
case $bundle in *.part-001) parts=("${bundle%001}"[0-9]*) ;; esac
cat -- "${parts[@]}" | tar -xzOf - sbom.cdx.json >"$name.cdx.json"
jq -e '.bomFormat == "CycloneDX"' "$name.cdx.json" >/dev/null
