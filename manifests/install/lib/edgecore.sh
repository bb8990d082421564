# shellcheck shell=bash
# edgecore.yaml: the few keys that the stack needs, and nothing else of it.

EDGECORE_CONFIG=/etc/kubeedge/config/edgecore.yaml

# stdin: an edgecore.yaml; stdout: the same with our keys.
edgecore_edit() {
  local cloud
  # Where the websocket goes, the tunnel goes too.
  cloud=$SITE_CLOUD_ADDRESS
  # shellcheck disable=SC2016
  CLOUD=$cloud DNS=$SITE_EDGE_CLUSTER_DNS SIZE=$SITE_EDGE_LOG_SIZE FILES=$SITE_EDGE_LOG_FILES "$YQ" '
    .modules.edgeStream.enable = true |
    (.modules.edgeHub.websocket.server // "" | sub(":[0-9]+$", "")) as $hub |
    .modules.edgeStream.server = ((strenv(CLOUD) | select(. != "")) // $hub) + ":10004" |
    .modules.metaManager.metaServer.enable = true |
    .modules.edged.reportEvent = true |
    .modules.edged.tailoredKubeletConfig.address = "127.0.0.1" |
    .modules.edged.tailoredKubeletConfig.containerLogMaxSize = strenv(SIZE) |
    .modules.edged.tailoredKubeletConfig.containerLogMaxFiles = (strenv(FILES) | from_yaml) |
    with(select(strenv(DNS) != "none"); .modules.edged.tailoredKubeletConfig.clusterDNS = [strenv(DNS)]) |
    with(select(.modules.edged | has("clusterDNS")); del(.modules.edged.clusterDNS))
  '
}

# KEY [DEFAULT]: one value of the node's edgecore.yaml.
edgecore_get() {
  local value=''
  [ ! -r "$INSTALL_ROOT$EDGECORE_CONFIG" ] || value=$("$YQ" "$1 // \"\"" "$INSTALL_ROOT$EDGECORE_CONFIG")
  printf '%s' "${value:-${2:-}}"
}

# Fails where nothing had to be changed.
edgecore_configure() {
  local file=$INSTALL_ROOT$EDGECORE_CONFIG new
  edgecore_edit <"$file" >"$WORK/edgecore.yaml" || die edgecore-unreadable "$file"
  [ -s "$WORK/edgecore.yaml" ] || die edgecore-unreadable "$file"
  if same_objects "$file" "$WORK/edgecore.yaml"; then
    say config-unchanged edgecore
    return 1
  fi
  backup "$file" edgecore.yaml
  if [ "$DRY_RUN" = yes ]; then
    diff -u "$file" "$WORK/edgecore.yaml" || true
    return 0
  fi
  # By rename beside it, with its owner and mode: a power cut leaves the old file or the new one.
  new=$file.observability
  cp -p -- "$file" "$new"
  cat -- "$WORK/edgecore.yaml" >"$new"
  sync -- "$new"
  mv -f -- "$new" "$file"
}

# The same settings for a node that joins anew, as keadm takes them.
edgecore_join_settings() {
  local settings=modules.edgeStream.enable=true,modules.metaManager.metaServer.enable=true,modules.edged.reportEvent=true
  settings+=,modules.edged.tailoredKubeletConfig.containerLogMaxSize=$SITE_EDGE_LOG_SIZE
  settings+=,modules.edged.tailoredKubeletConfig.containerLogMaxFiles=$SITE_EDGE_LOG_FILES
  printf '%s\n' --set "$settings"
  if [ "$SITE_EDGE_CLUSTER_DNS" != none ]; then
    printf '%s\n' --set "modules.edged.tailoredKubeletConfig.clusterDNS={\"$SITE_EDGE_CLUSTER_DNS\"}"
  fi
}
