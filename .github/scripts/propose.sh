#!/usr/bin/env bash
# Opens the pull request with a new lock, or brings the open one up to date: there is never more than one.
#
#   propose.sh LOCK REPORT STEP      GITHUB_REPOSITORY, GH_TOKEN; BASE_BRANCH: where it goes
set -euo pipefail

lock=${1:?usage: propose.sh LOCK REPORT STEP}
report=${2:?usage: propose.sh LOCK REPORT STEP}
step=${3:?usage: propose.sh LOCK REPORT STEP}
branch=resolve
title="Update the lock ($step)"

git config user.name 'github-actions[bot]'
git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
git switch --quiet --force-create "$branch"
git add -- "$lock"
git commit --quiet --message "$title"
# The token is in a helper of git's own for this one command: neither in an argument nor in .git/config.
git -c credential.helper= -c "credential.helper=!f() { echo username=x-access-token; echo \"password=\$GH_TOKEN\"; }; f" \
  push --quiet --force origin "HEAD:refs/heads/$branch" ||
  { printf '::error::the branch could not be pushed: the token needs contents: write\n' >&2; exit 1; }

gh label create "$step" --repo "${GITHUB_REPOSITORY:?}" --force --description "The biggest step of an update" >/dev/null
number=$(gh pr list --repo "$GITHUB_REPOSITORY" --head "$branch" --state open --json number --jq '.[0].number // empty')
if [ -z "$number" ]; then
  gh pr create --repo "$GITHUB_REPOSITORY" --base "${BASE_BRANCH:-main}" --head "$branch" --title "$title" --body-file "$report" --label "$step"
  exit
fi
old=$(gh pr view "$number" --repo "$GITHUB_REPOSITORY" --json labels --jq '[.labels[].name] | map(select(IN("removed", "added", "older", "other", "major", "minor", "patch", "digest", "own-files", "attached"))) | join(",")')
gh pr edit "$number" --repo "$GITHUB_REPOSITORY" --title "$title" --body-file "$report" ${old:+--remove-label "$old"} --add-label "$step"
