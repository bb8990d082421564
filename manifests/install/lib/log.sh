# shellcheck shell=bash
# Messages, the log, and running commands that change something.

# Values that no line of log or terminal may show.
SECRETS=()
LOG=
WORK=
declare -A TEXT=()

LANGUAGE_NAME=en

# Chinese where the environment says so, English everywhere else; a text that has no translation is English. A terminal
# of another character set than UTF-8, such as zh_CN.GBK, would show Chinese as noise.
language_load() {
  local said=${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}
  texts_read en
  case ${said,,} in
    zh*.utf-8* | zh*.utf8*) ;;
    zh*.*) return 0 ;;
    zh*) ;;
    *) return 0 ;;
  esac
  LANGUAGE_NAME=zh
  texts_read zh
}

texts_read() {
  local key format
  while read -r key format; do
    [[ -z $key || $key == \#* ]] || TEXT[$key]=$format
  done <"$HERE/lib/messages/$1.txt"
}

# KEY ARGUMENT…: the text in the reader's language.
text() {
  local format=${TEXT[$1]-}
  shift
  # The formats are our own, in lib/messages.
  # shellcheck disable=SC2059
  printf -- "$format" "$@"
}

# Keeps a value out of everything that is shown.
secret() {
  [ -z "$1" ] || SECRETS+=("$1")
}

# stdin without secrets.
masked() {
  local line value
  while IFS= read -r line || [ -n "$line" ]; do
    for value in "${SECRETS[@]}"; do
      line=${line//"$value"/\*\*\*}
    done
    printf '%s\n' "$line"
  done
}

log_lines() {
  if [ -n "$LOG" ]; then
    masked >>"$LOG"
  else
    cat >/dev/null
  fi
}

log() {
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" | log_lines
}

show() {
  printf '%s\n' "$*" | masked >&2
  log "$*"
}

say() { show "$(text "$@")"; }
step() { show "==> $(text "$@")"; }
warn() { show "$(text word-warning): $(text "$@")"; }
complain() { show "$(text word-error): $(text "$@")"; }

# Ends with exit code 1; what failed before it has told its own reason.
die() {
  complain "$@"
  exit 1
}

# Opens the log with nobody else's eyes on it, and a directory for this run alone.
log_open() {
  umask 077
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/observability.XXXXXXXX")
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM HUP
  trap 'rm -rf -- "$WORK"' EXIT
  # What fails without a word of its own is told by its place.
  set -E
  trap 'unexpected "$?" "${BASH_SOURCE[0]}" "$LINENO"' ERR
  [ "$DRY_RUN" = no ] || return 0
  local file=${LOG_FILE:-$INSTALL_ROOT/var/log/observability-install.log}
  if ! { mkdir -p -- "$(dirname -- "$file")" && : >>"$file" && chmod 600 -- "$file"; } 2>/dev/null; then
    [ -z "$LOG_FILE" ] || die log-unwritable "$file"
    return 0
  fi
  LOG=$file
  log "---- install.sh $COMMAND, bundle $BUNDLE_NAME $BUNDLE_VERSION"
}

# CODE FILE LINE
unexpected() {
  [ "$BASH_SUBSHELL" -eq 0 ] || return 0
  complain failed-at "${2##*/}" "$3" "$1"
}

interrupted() {
  trap - INT TERM HUP
  complain interrupted
  exit "$1"
}

quoted() {
  printf '%q ' "$@"
}

# COMMAND…: does what changes something, or with --dry-run tells it. Its output goes to the log, and where it fails
# the end of it is shown.
run() {
  local code=0
  if [ "$DRY_RUN" = yes ]; then
    printf '+ %s\n' "$(quoted "$@")" | masked
    return 0
  fi
  log "+ $(quoted "$@")"
  "$@" >"$WORK/output" 2>&1 || code=$?
  log_lines <"$WORK/output"
  if [ "$code" -ne 0 ]; then
    tail -n 20 "$WORK/output" | masked >&2
    log "exit code $code"
  fi
  return "$code"
}

# FILE: with --dry-run, prints what would be applied.
show_manifest() {
  [ "$DRY_RUN" = yes ] || return 0
  masked <"$1"
}
