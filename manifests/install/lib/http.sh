# shellcheck shell=bash
# HTTP with nothing but bash, since not every host has curl; and to a Service of the cluster through its own pod, since
# the stack's network policies let nobody else in.

# METHOD PORT PATH [FILE]: the body of the answer of a server on this host; fails unless its status is 2xx.
http() {
  local length=0 status line
  exec 8<>"/dev/tcp/127.0.0.1/$2" || return 1
  [ -z "${4:-}" ] || length=$(wc -c <"$4")
  {
    printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: */*\r\n' "$1" "$3"
    [ -z "${4:-}" ] || printf 'Content-Type: application/json\r\nContent-Length: %d\r\n' "$length"
    printf '\r\n'
    [ -z "${4:-}" ] || cat -- "$4"
  } >&8
  IFS= read -r -t 20 -u 8 status || status=
  while IFS= read -r -t 20 -u 8 line; do
    [ -n "${line%$'\r'}" ] || break
  done
  timeout 20 cat <&8 || true
  exec 8<&- 8>&-
  [[ $status =~ ^HTTP/1\.[01]\ 2 ]]
}

# SERVICE PORT METHOD PATH [FILE]
service_http() {
  local forward tries local_port='' code=0 service=$1 port=$2
  shift 2
  : >"$WORK/forward"
  "${KUBECTL[@]}" -n "$NAMESPACE" port-forward --address 127.0.0.1 "service/$service" ":$port" >"$WORK/forward" 2>>"${LOG:-/dev/null}" 9>&- &
  forward=$!
  for tries in $(seq 100); do
    local_port=$(sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$WORK/forward")
    if [ -n "$local_port" ] || ! kill -0 "$forward" 2>/dev/null; then
      break
    fi
    sleep 0.1
  done
  if [ -n "$local_port" ]; then
    http "$1" "$local_port" "${@:2}" 2>>"${LOG:-/dev/null}" || code=1
  else
    log "no way to service/$service after $tries tries"
    code=1
  fi
  kill "$forward" 2>/dev/null || true
  wait "$forward" 2>/dev/null || true
  return "$code"
}
