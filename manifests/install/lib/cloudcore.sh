# shellcheck shell=bash
# Brings an existing cloudcore to what the stack needs: its metrics where Prometheus reaches them, and the tunnel.

# stdin: a cloudcore.yaml, as the chart writes it or as cloudcore writes all of it; stdout: the same with our keys.
cloudcore_edit() {
  ADDRESS=$SITE_CLOUDCORE_METRICS "$YQ" '
    .commonConfig.monitorServer.bindAddress = strenv(ADDRESS) |
    .modules.cloudStream.enable = true
  '
}

cloudcore_available() {
  [ "$(kubectl_ask -n kubeedge get deployment cloudcore -o 'jsonpath={.status.conditions[?(@.type=="Available")].status}')" = True ]
}

cloudcore_configure() {
  wanted cloudcore || return 0
  step step-cloudcore
  if ! exists -n kubeedge get configmap cloudcore; then
    say cloudcore-absent
    return 0
  fi
  kubectl_ask -n kubeedge get configmap cloudcore -o 'jsonpath={.data.cloudcore\.yaml}' >"$WORK/cloudcore.yaml" || die cloudcore-unreadable
  [ -s "$WORK/cloudcore.yaml" ] || die cloudcore-unreadable
  cloudcore_edit <"$WORK/cloudcore.yaml" >"$WORK/cloudcore-new.yaml" || die cloudcore-unreadable
  if same_objects "$WORK/cloudcore.yaml" "$WORK/cloudcore-new.yaml"; then
    say config-unchanged cloudcore
  else
    backup "$WORK/cloudcore.yaml" cloudcore.yaml
    show_manifest "$WORK/cloudcore-new.yaml"
    FILE=$WORK/cloudcore-new.yaml "$YQ" -n -o=json '.data["cloudcore.yaml"] = load_str(strenv(FILE))' >"$WORK/cloudcore-patch.json"
    run "${KUBECTL[@]}" -n kubeedge patch configmap cloudcore --type=merge --patch-file "$WORK/cloudcore-patch.json" ||
      die apply-failed "configmap kubeedge/cloudcore"
    run "${KUBECTL[@]}" -n kubeedge rollout restart deployment/cloudcore || die cloudcore-restart
  fi
  rolled_out deployment/cloudcore kubeedge 180 || die cloudcore-restart
}
