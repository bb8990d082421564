#!/usr/bin/env bash
# Resolves the catalog and says what changed. What could be resolved is kept also when a component failed; then `failed`
# says so, for the job to end with after the pull request is there.
#
# LOCK (default bundle.lock.yaml), CATALOG (default manifests), REPORT: the file for the Markdown.
set -euo pipefail

lock=${LOCK:-bundle.lock.yaml}
report=${REPORT:-resolve.md}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$lock" "$work/old.lock.yaml"

printf '::group::Resolving\n' >&2
status=0
bundler resolve --progress plain --catalog "${CATALOG:-manifests}" --lock "$lock" 2>&1 >"$work/said" |
  tee "$work/log" >&2 || status=$?
printf '::endgroup::\n' >&2

# 1: a thing stays unresolved; 3: a source failed. The others end without a lock that could be proposed.
case $status in
  0 | 1 | 3) ;;
  *)
    printf '::error::bundler resolve ended with %s\n' "$status" >&2
    exit "$status"
    ;;
esac
{
  bundler diff --format markdown "$work/old.lock.yaml" "$lock"
  if [ "$status" -ne 0 ]; then
    printf '\n> [!WARNING]\n> Not everything could be resolved; what failed keeps its old entry.\n\n'
    # As code, because it quotes what others wrote.
    grep -E '^(error|hint|  caused by|  )' "$work/log" | sed 's/^/    /' || true
  fi
} >"$report"
cat "$report" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"

# The biggest step, as `bundler diff` orders them.
step=$(bundler diff --format json "$work/old.lock.yaml" "$lock" |
  jq -r '[.components[].step] as $s | ["removed", "added", "older", "other", "major", "minor", "patch", "digest", "own-files", "attached"] | map(select(. as $x | $s | index($x))) | .[0] // "digest"')
changed=true
! cmp -s "$work/old.lock.yaml" "$lock" || changed=false
{
  printf 'changed=%s\n' "$changed"
  printf 'step=%s\n' "$step"
  printf 'failed=%s\n' "$([ "$status" -eq 0 ] && echo false || echo true)"
} >>"${GITHUB_OUTPUT:-/dev/stdout}"
