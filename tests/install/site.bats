# site.env: every line is checked, nothing of it is run, and what it says arrives as Helm values.
load setup

site() {
  mkdir -p "$INSTALL_ROOT/etc/observability"
  printf '%s\n' "$@" >"$INSTALL_ROOT/etc/observability/site.env"
}

value() {
  "$REAL_YQ" "$2" "$FAKE/applied/helm-$1-$1.yaml"
}

@test "the file of the bundle is good as it is, and has every setting" {
  install preflight
  [ "$status" -eq 0 ]
  for key in $(sed -n "/^SITE_KEYS='/,/^'/p" "$root/manifests/install/lib/site.sh" | awk 'NF == 3 { print $1 }'); do
    grep -qE "^$key=" "$root/manifests/install/site.env" || { echo "$key"; false; }
  done
}

@test "a wrong line is told with file, line and what is wanted" {
  site '# mine' 'HOST=192.0.2.300' 'PROMETHEUS_SIZE=20GB' 'HOSTT=x' 'no equals' 'IPTABLES=nftables' 'EDGE_LOG_FILES=1'
  install cloud
  [ "$status" -eq 2 ]
  says "site.env, line 2: HOST=192.0.2.300"
  says "line 3: PROMETHEUS_SIZE=20GB is not a size such as 20Gi"
  says 'line 4: there is no setting `HOSTT`'
  says "line 5:"
  says "line 6: IPTABLES=nftables is not one of auto|legacy|nft"
  says "line 7: EDGE_LOG_FILES=1 is not a number from 2 to 999"
  [ ! -s "$FAKE/calls" ]
}

@test "nothing in it is run" {
  site 'HOST=$(touch '"$BATS_TEST_TMPDIR"'/ran)' 'SITE_NAME=`touch '"$BATS_TEST_TMPDIR"'/ran`'
  install cloud
  [ "$status" -eq 2 ]
  [ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "what it says becomes values" {
  site HOST=obs.example.org STORAGE_CLASS=fast PROMETHEUS_RETENTION=30d PROMETHEUS_SIZE=80Gi SITE_NAME=plant-7 \
    ALERT_EMAIL_TO=a@x.org,b@y.org ALERT_EMAIL_FROM=obs@x.org ALERT_EMAIL_SMARTHOST=mail.x.org:25 ALERT_EMAIL_TLS=no TIMEZONE=Asia/Shanghai
  answer 'get storageclass fast' 'storageclass.storage.k8s.io/fast'
  install cloud
  [ "$status" -eq 0 ]
  [ "$(value kube-prometheus-stack .prometheus.prometheusSpec.retention)" = 30d ]
  [ "$(value kube-prometheus-stack .prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.storageClassName)" = fast ]
  [ "$(value kube-prometheus-stack .prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.resources.requests.storage)" = 80Gi ]
  [ "$(value kube-prometheus-stack .prometheus.prometheusSpec.externalLabels.site)" = plant-7 ]
  [ "$(value kube-prometheus-stack '.grafana["grafana.ini"].server.domain')" = obs.example.org ]
  [ "$(value kube-prometheus-stack '.notifications.email | [.enabled, .requireTLS] | join(" ")')" = "true false" ]
  [ "$(value kube-prometheus-stack .notifications.timeIntervals.timezone)" = Asia/Shanghai ]
}

@test "a channel without its secret is refused" {
  site ALERT_FEISHU=yes
  install cloud
  [ "$status" -eq 1 ]
  says "etc/observability/secrets/feishu-url"
  mkdir -p "$INSTALL_ROOT/etc/observability/secrets"
  printf 'https://robot.example/token-of-feishu' >"$INSTALL_ROOT/etc/observability/secrets/feishu-url"
  chmod 644 "$INSTALL_ROOT/etc/observability/secrets/feishu-url"
  install cloud
  [ "$status" -eq 1 ]
  says "others may read it"
}

@test "a channel with its secret goes into the Secret and nowhere else" {
  site ALERT_FEISHU=yes ALERT_PROXY=http://192.0.2.9:3128
  mkdir -p "$INSTALL_ROOT/etc/observability/secrets"
  printf 'https://robot.example/token-of-feishu' >"$INSTALL_ROOT/etc/observability/secrets/feishu-url"
  chmod 600 "$INSTALL_ROOT/etc/observability/secrets/feishu-url"
  install cloud --log "$BATS_TEST_TMPDIR/log"
  [ "$status" -eq 0 ]
  [ "$("$REAL_YQ" '.data["feishu-url"] | @base64d' "$FAKE/objects/monitoring.secret.alert-channels")" = https://robot.example/token-of-feishu ]
  [ "$(value kube-prometheus-stack .notifications.feishu.enabled)" = true ]
  absent token-of-feishu "$FAKE/calls" "$BATS_TEST_TMPDIR/log"
  [[ $output != *token-of-feishu* ]]
}

@test "an operator's own values win over the site's" {
  site PROMETHEUS_RETENTION=30d
  printf 'kube-prometheus-stack:\n  prometheus: {prometheusSpec: {retention: 45d}}\n' >"$BATS_TEST_TMPDIR/own.yaml"
  install cloud --values "$BATS_TEST_TMPDIR/own.yaml"
  [ "$status" -eq 0 ]
  grep -q '45d' "$FAKE/releases/kube-prometheus-stack"
  absent '30d' "$FAKE/releases/kube-prometheus-stack"
}

@test "another namespace is in releases, manifests and addresses" {
  install cloud --namespace obs
  [ "$status" -eq 0 ]
  calls "charts/stack-1.0.0.tgz --namespace obs"
  grep -q 'loki.obs.svc' "$FAKE/releases/kube-prometheus-stack"
  [ -e "$FAKE/objects/obs.configmap.last" ]
  grep -q 'x.obs.svc' "$FAKE/objects/obs.configmap.last"
  [ ! -e "$FAKE/objects/monitoring.configmap.last" ]
}
