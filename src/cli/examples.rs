//! What the help of each subcommand ends with: lines to copy. A test parses every one of them.

pub(super) const INIT: &str = "\
Examples:
  bundler init --name shop
  bundler init --images k3s-images.txt
  bundler init --pods pods.json --kubernetes 1.36
  bundler init --charts charts/ --repository https://charts.example.com
  bundler init --helmfile-list list.json --repository loki=https://charts.example.com";

pub(super) const ADD: &str = "\
Examples:
  bundler add image redis
  bundler add image eclipse-mosquitto:2-alpine --profile edge
  bundler add chart https://prometheus-community.github.io/helm-charts prometheus-blackbox-exporter
  bundler add chart oci://ghcr.io/kube-logging/helm-charts/logging-operator --version ^6 --dry-run
  bundler add file github:mikefarah/yq yq_linux_amd64";

pub(super) const RESOLVE: &str = "\
Examples:
  bundler resolve
  bundler resolve loki helm
  bundler resolve --check
  bundler resolve --as-of 2026-08-28 --dry-run";

pub(super) const PACK: &str = "\
Examples:
  bundler pack --arch arm64 --output dist/
  bundler pack --arch amd64 --profile edge --from dist/observability-1.4.0-linux-amd64.tar.gz
  bundler pack --arch arm64 --base observability-1.4.0-linux-arm64.tar.gz
  bundler pack --arch arm64 --split-size 2000MB --sign-key release.key";

pub(super) const VERIFY: &str = "\
Examples:
  bundler verify observability-1.5.0-linux-arm64.tar.gz
  bundler verify observability-1.5.0-linux-arm64.tar.gz.part-001
  bundler verify delta.tar.gz --base observability-1.4.0-linux-arm64.tar.gz
  bundler verify bundle.tar.gz --signers allowed_signers --identity release@example.com";

pub(super) const INSPECT: &str = "\
Examples:
  bundler inspect observability-1.5.0-linux-arm64.tar.gz
  bundler inspect bundle.lock.yaml --format json
  bundler inspect observability-1.5.0-linux-arm64.tar.gz --html page.html";

pub(super) const DIFF: &str = "\
Examples:
  bundler diff observability-1.4.0-linux-arm64.tar.gz observability-1.5.0-linux-arm64.tar.gz
  bundler diff old.lock.yaml bundle.lock.yaml --format markdown";

pub(super) const IMAGES: &str = "\
Examples:
  bundler images --why
  bundler images loki jaeger --format json
  bundler images --chart loki-6.0.0.tgz --values my.yaml --set replicas=2";

pub(super) const LOAD: &str = "\
Examples:
  bundler load observability-1.5.0-linux-arm64.tar.gz
  bundler load observability-1.5.0-linux-arm64.tar.gz --into k3s-dir --profile edge
  bundler load base.tar.gz delta.tar.gz --prune --dry-run
  bundler load bundle.tar.gz --into oci-layout:/srv/layout";

pub(super) const UNLOAD: &str = "\
Examples:
  bundler unload observability-1.4.0-linux-arm64.tar.gz
  bundler unload observability@1.4.0 --dry-run";

pub(super) const PUSH: &str = "\
Examples:
  bundler push observability-1.5.0-linux-arm64.tar.gz harbor.example/site --write nodes/
  bundler push amd64.tar.gz arm64.tar.gz harbor.example/site --keep-registry
  bundler push bundle.tar.gz http://127.0.0.1:5000 --dry-run";

pub(super) const SERVE: &str = "\
Examples:
  bundler serve observability-1.5.0-linux-arm64.tar.gz
  bundler serve --listen 0.0.0.0:5000 amd64.tar.gz arm64.tar.gz
  bundler serve bundle.tar.gz --tls-cert site.pem --tls-key site.key --htpasswd users";

pub(super) const APPLY: &str = "\
Examples:
  bundler apply base.tar.gz delta.tar.gz --output full.tar.gz";

pub(super) const SIGN: &str = "\
Examples:
  bundler sign observability-1.5.0-linux-arm64.tar.gz --key release.key";

pub(super) const CACHE: &str = "\
Examples:
  bundler cache ls
  bundler cache gc --keep bundle.lock.yaml --dry-run
  bundler cache gc --older-than 90
  bundler cache verify";

pub(super) const SCHEMA: &str = "\
Examples:
  bundler schema component";

pub(super) const COMPLETIONS: &str = "\
Examples:
  bundler completions bash";

pub(super) const MAN: &str = "\
Examples:
  bundler man
  bundler man pack
  bundler man cache gc";
