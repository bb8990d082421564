# shellcheck shell=bash
# Lists of checks with their results, for people and for programs.

RESULTS=()

# PASS|WARN|FAIL|SKIP NAME KEY ARGUMENT…: one result; for WARN, FAIL and SKIP the text says what to do, or why.
result() {
  local status=$1 name=$2
  shift 2
  RESULTS+=("$status"$'\t'"$name"$'\t'"$(text "$@")")
  log "$status $name $(text "$@")"
  [ "$FORMAT" = json ] || result_line "$status" "$name" "$(text "$@")"
}

result_line() {
  local color='' plain=''
  if [ -t 1 ]; then
    plain=$'\e[0m'
    case $1 in
      PASS) color=$'\e[32m' ;;
      WARN) color=$'\e[33m' ;;
      FAIL) color=$'\e[31m' ;;
      SKIP) color=$'\e[2m' ;;
    esac
  fi
  printf '%s%-4s%s  %-22s %s\n' "$color" "$1" "$plain" "$2" "${3//$'\n'/$'\n'                              }" | masked
}

count() {
  local entry total=0
  for entry in "${RESULTS[@]}"; do
    [[ $entry != "$1"$'\t'* ]] || total=$((total + 1))
  done
  printf '%s' "$total"
}

# Prints the end of the list; fails where a check failed.
report() {
  if [ "$FORMAT" = json ]; then
    report_json
  else
    text report-sum "$(count PASS)" "$(count WARN)" "$(count FAIL)" "$(count SKIP)"
  fi
  [ "$(count FAIL)" -eq 0 ]
}

report_json() {
  local entry status name detail comma=''
  printf '{"bundle":%s,"version":%s,"checks":[' "$(json "$BUNDLE_NAME")" "$(json "$BUNDLE_VERSION")"
  for entry in "${RESULTS[@]}"; do
    status=${entry%%$'\t'*} name=${entry#*$'\t'}
    detail=${name#*$'\t'} name=${name%%$'\t'*}
    printf '%s\n{"status":"%s","check":%s,"detail":%s}' "$comma" "$status" "$(json "$name")" "$(json "$detail")"
    comma=,
  done
  printf '\n]}\n'
}

# TEXT as a JSON string.
json() {
  local value=$1
  value=${value//\\/\\\\}
  value=${value//\"/\\\"}
  value=${value//$'\n'/\\n}
  value=${value//$'\t'/\\t}
  printf '"%s"' "${value//[[:cntrl:]]/ }"
}
