# shellcheck shell=bash
# EdgeMesh's shared key is made once and kept: agents with different keys do not talk to each other.

edgemesh_values() {
  local psk node release=''
  plan_selects edgemesh || return 0
  mkdir -p "$WORK/secret-values"
  psk=$(kubectl_ask -n kubeedge get secret edgemesh-psk --ignore-not-found -o 'jsonpath={.data.psk}' | base64 -d)
  if [ -z "$psk" ]; then
    # One that somebody installed before keeps its key and its relays.
    release=$("$HELM" get values edgemesh --namespace kubeedge -o json 2>/dev/null || true)
    [ -z "$release" ] || psk=$("$YQ" -p=json -o=yaml '.agent.psk // ""' <<<"$release")
    [ -n "$psk" ] || psk=$(head -c 32 /dev/urandom | base64)
    secret "$psk"
    {
      printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: edgemesh-psk\n  namespace: kubeedge\nstringData:\n  psk: "%s"\n' "$psk"
    } >"$WORK/edgemesh-psk.yaml"
    apply_secret "$WORK/edgemesh-psk.yaml"
  fi
  secret "$psk"
  node=$(edgemesh_relay)
  [ -n "$node" ] || die nodes-none
  cat >"$WORK/secret-values/edgemesh.yaml" <<EOF
agent:
  psk: "$psk"
  relayNodes:
    - nodeName: "$node"
      advertiseAddress: ["$SITE_CLOUD_ADDRESS"]
EOF
}

# The relay stays where it is as long as its node is one of the cloud.
edgemesh_relay() {
  local nodes now
  nodes=$(cloud_nodes)
  now=$("$HELM" get values edgemesh --namespace kubeedge -o json 2>/dev/null | "$YQ" -p=json -o=yaml '.agent.relayNodes[0].nodeName // ""' 2>/dev/null || true)
  if [ -n "$now" ] && [[ $'\n'$nodes$'\n' == *$'\n'"$now"$'\n'* ]]; then
    printf '%s' "$now"
  else
    printf '%s' "${nodes%%$'\n'*}"
  fi
}
