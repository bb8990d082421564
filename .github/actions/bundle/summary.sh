#!/usr/bin/env bash
# Writes what a bundle holds as the summary of the job: components, versions, sizes, and what the delta saves.
#
# BUNDLE, DELTA (may be empty), FETCHED (bytes). Runs outside GitHub too, where it prints.
set -euo pipefail

megabytes() { jq -rn --argjson bytes "$1" '"\($bytes / 100000 | round / 10) MB"'; }

{
  bundler inspect --format markdown "${BUNDLE:?no bundle was given}"
  if [ -n "${DELTA:-}" ]; then
    whole=$(bundler inspect --format json "$BUNDLE" | jq .size)
    delta=$(bundler inspect --format json "$DELTA" | jq .size)
    printf '\nDelta: %s, %s %% of the whole.\n' "$(megabytes "$delta")" "$(jq -n "$delta * 100 / $whole | round")"
  fi
  [ -z "${FETCHED:-}" ] || printf '\nFetched now: %s.\n' "$(megabytes "$FETCHED")"
} >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
