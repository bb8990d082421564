#!/usr/bin/env bash
# Says whether the lock is what `bundler resolve` writes for the catalog, and shows the difference where it is not.
#
# LOCK (default bundle.lock.yaml), CATALOG (default manifests).
set -euo pipefail

status=0
report=$(bundler resolve --check --progress plain --catalog "${CATALOG:-manifests}" --lock "${LOCK:-bundle.lock.yaml}") || status=$?
code='```'
{
  case $status in
    0) echo "The lock fits the catalog." ;;
    1) printf '## %s\n\n%s\n' "The lock is stale" "Run \`bundler resolve\` and commit the lock that it writes." ;;
    *) printf '## %s\n\n%s\n' "The catalog could not be checked" "\`bundler resolve --check\` ended with $status; the log says why." ;;
  esac
  if [ -n "$report" ]; then printf '\n%stext\n%s\n%s\n' "$code" "${report//$code/}" "$code"; fi
} >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
[ "$status" -eq 0 ] || printf '::error::bundler resolve --check ended with %s\n' "$status" >&2
exit "$status"
