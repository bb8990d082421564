# shellcheck shell=bash
# The command line.

COMMAND=
DRY_RUN=no
YES=no
ONLY=
SKIP=
WITH=
PROFILE=
VALUES_FILES=()
NAMESPACE=
LOG_FILE=
SITE_FILE=
FORMAT=text
ALLOW_DOWNGRADE=no
PURGE=no
PURGE_CRDS=no
JOIN_TOKEN_FILE=
SEVERITY=warning

usage() {
  printf '%s %s\n\n' "$BUNDLE_NAME" "$BUNDLE_VERSION"
  cat -- "$HERE/lib/messages/usage.$LANGUAGE_NAME.txt"
}

wrong_usage() {
  complain "$@"
  printf '%s\n' "$(text usage-hint)" >&2
  exit 2
}

args_parse() {
  plan_load
  local option
  while [ $# -gt 0 ]; do
    option=$1
    case $option in
      --dry-run) DRY_RUN=yes ;;
      --yes | -y) YES=yes ;;
      --allow-downgrade) ALLOW_DOWNGRADE=yes ;;
      --purge) PURGE=yes ;;
      --purge-crds) PURGE_CRDS=yes ;;
      --help | -h) COMMAND=help ;;
      --only | --skip | --with | --profile | --values | --kubeconfig | --namespace | --log | --site | --format | --severity | --join-token-file)
        if [ -z "${2:-}" ]; then
          wrong_usage option-needs-value "$option"
        fi
        args_value "$option" "$2"
        shift
        ;;
      --*=*)
        args_value "${option%%=*}" "${option#*=}"
        ;;
      -*) wrong_usage option-unknown "$option" ;;
      help | cloud | edge | images | preflight | verify | status | uninstall | send-test-alert)
        [ -z "$COMMAND" ] || wrong_usage command-twice "$COMMAND" "$option"
        COMMAND=$option
        ;;
      *) wrong_usage command-unknown "$option" ;;
    esac
    shift
  done
  [ -n "$COMMAND" ] || COMMAND=help
  args_check
}

args_value() {
  case $1 in
    --only) ONLY=$2 ;;
    --skip) SKIP=$2 ;;
    --with) WITH=$2 ;;
    --profile) PROFILE=$2 ;;
    --values)
      [ -r "$2" ] || wrong_usage file-unreadable "$2"
      VALUES_FILES+=("$(readlink -f -- "$2")")
      ;;
    --kubeconfig)
      [ -r "$2" ] || wrong_usage file-unreadable "$2"
      KUBECONFIG=$(readlink -f -- "$2")
      export KUBECONFIG
      ;;
    --namespace) NAMESPACE=$2 ;;
    --log) LOG_FILE=$2 ;;
    --site)
      [ -r "$2" ] || wrong_usage file-unreadable "$2"
      SITE_FILE=$(readlink -f -- "$2")
      ;;
    --join-token-file)
      [ -r "$2" ] || wrong_usage file-unreadable "$2"
      JOIN_TOKEN_FILE=$(readlink -f -- "$2")
      ;;
    --format) FORMAT=$2 ;;
    --severity) SEVERITY=$2 ;;
    *) wrong_usage option-unknown "$1" ;;
  esac
}

# Every name that was given must exist: a typo in --skip would install what was to be left out.
args_check() {
  local name
  case $FORMAT in
    text | json) ;;
    *) wrong_usage format-unknown "$FORMAT" ;;
  esac
  case $SEVERITY in
    critical | warning | info) ;;
    *) wrong_usage severity-unknown "$SEVERITY" ;;
  esac
  for name in ${ONLY//,/ } ${SKIP//,/ } ${WITH//,/ }; do
    [ -n "${COMPONENT_VERSION[$name]:-}" ] || is_step "$name" || wrong_usage component-unknown "$name"
  done
  if [ -n "$PROFILE" ] && [ -z "${PROFILE_MEMBERS[$PROFILE]:-}" ]; then
    wrong_usage profile-unknown "$PROFILE" "${!PROFILE_MEMBERS[*]}"
  fi
  if [ -n "$NAMESPACE" ] && ! [[ $NAMESPACE =~ ^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$ ]]; then
    wrong_usage namespace-wrong "$NAMESPACE"
  fi
}

# Steps that can be chosen besides components.
is_step() {
  case $1 in
    images | crds | secrets | cloudcore | iptables-manager | join) return 0 ;;
    *) return 1 ;;
  esac
}

# NAME: whether --only and --skip let this step or component be.
wanted() {
  local list=",$ONLY,"
  if [ -n "$ONLY" ] && [[ $list != *",$1,"* ]]; then
    return 1
  fi
  list=",$SKIP,"
  [[ $list != *",$1,"* ]]
}

# Asks before something that cannot be undone; without a terminal it needs --yes.
confirm() {
  local answer
  if [ "$YES" = yes ] || [ "$DRY_RUN" = yes ]; then
    return 0
  fi
  [ -t 0 ] || die confirm-needs-yes "$(text "$@")"
  printf '%s [y/N] ' "$(text "$@")" >&2
  read -r answer || answer=
  case $answer in
    y | Y | yes) ;;
    *) die confirm-no ;;
  esac
}
