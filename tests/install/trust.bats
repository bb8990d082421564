# The bundle against its checksums and signature, before anything is touched.
load setup

untouched() {
  [ ! -s "$FAKE/calls" ] || ! grep -qE 'apply|upgrade|import|label|patch' "$FAKE/calls"
}

@test "a changed byte stops everything" {
  printf 'replicas: 2\n' >"$bundle/components/kube-prometheus-stack/values.yaml"
  install cloud
  [ "$status" -eq 1 ]
  says "components/kube-prometheus-stack/values.yaml: FAILED"
  says "not what was packed"
  untouched
}

@test "a missing file stops everything" {
  rm "$bundle/charts/stack-1.0.0.tgz"
  install cloud
  [ "$status" -eq 1 ]
  says charts/stack-1.0.0.tgz
  untouched
}

@test "a file that nobody packed stops everything" {
  printf 'kind: Pod\n' >"$bundle/components/agent/resources/evil.yaml"
  install cloud
  [ "$status" -eq 1 ]
  says components/agent/resources/evil.yaml
  untouched
}

@test "a cut bundle without its list is told" {
  rm "$bundle/SHA256SUMS"
  install cloud
  [ "$status" -eq 1 ]
  says "SHA256SUMS is missing"
  untouched
}

@test "a directory that is no bundle is told" {
  rm "$bundle/lib/plan.tsv"
  install cloud
  [ "$status" -eq 1 ]
  says "this is no unpacked bundle"
}

@test "what looks at a site runs nothing that was changed, and does not read through the images" {
  printf '#!/bin/sh\ntouch "%s/ran"\necho mikefarah\n' "$BATS_TEST_TMPDIR" >"$bundle/files/yq"
  for command in verify status "send-test-alert" "uninstall --yes"; do
    # shellcheck disable=SC2086
    install $command
    [ "$status" -eq 1 ] || { echo "$command: $status"; false; }
    says "files/yq: FAILED"
    [ ! -e "$BATS_TEST_TMPDIR/ran" ]
    untouched
  done
  cp "$REAL_YQ" "$bundle/files/yq"
  printf x >>"$(find "$bundle/blobs" -type f | head -n 1)"
  install status
  [ "$status" -eq 0 ]
  install cloud
  [ "$status" -eq 1 ]
  untouched
}

signed() {
  ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/key"
  printf 'release@example.org namespaces="bundler" %s\n' "$(cat "$BATS_TEST_TMPDIR/key.pub")" >"$BATS_TEST_TMPDIR/signers"
  ssh-keygen -q -Y sign -n bundler -f "$BATS_TEST_TMPDIR/key" "$bundle/SHA256SUMS"
  mkdir -p "$INSTALL_ROOT/etc/observability"
  printf 'SIGNERS=%s\nSIGNER=%s\n' "$BATS_TEST_TMPDIR/signers" "$1" >"$INSTALL_ROOT/etc/observability/site.env"
}

@test "a good signature is taken" {
  signed release@example.org
  install preflight
  [ "$status" -eq 0 ]
}

@test "a signature of somebody else is refused" {
  signed other@example.org
  install cloud
  [ "$status" -eq 1 ]
  says "not one of other@example.org"
  untouched
}

@test "a list that was changed after signing is refused" {
  signed release@example.org
  printf 'x' >"$bundle/files/more" && cp "$bundle/SHA256SUMS.sig" "$BATS_TEST_TMPDIR/sig"
  rm "$bundle/SHA256SUMS.sig" && seal "$bundle" && cp "$BATS_TEST_TMPDIR/sig" "$bundle/SHA256SUMS.sig"
  install cloud
  [ "$status" -eq 1 ]
  untouched
}

@test "a missing signature is refused where the site wants one" {
  signed release@example.org
  rm "$bundle/SHA256SUMS.sig"
  install cloud
  [ "$status" -eq 1 ]
  says "has none"
  untouched
}

@test "the bundle's own bundler checks it where it runs" {
  printf '#!/bin/sh\necho "bundler $*" >>"$FAKE/calls"\n' >"$bundle/files/bundler" && chmod 755 "$bundle/files/bundler"
  seal "$bundle"
  install preflight
  [ "$status" -eq 0 ]
  calls "bundler verify"
}

@test "a bundler that was changed is not run" {
  printf '#!/bin/sh\nexit 0\n' >"$bundle/files/bundler" && chmod 755 "$bundle/files/bundler"
  seal "$bundle"
  printf '#!/bin/sh\necho ran >>"$FAKE/calls"\n' >"$bundle/files/bundler"
  install cloud
  [ "$status" -eq 1 ]
  absent ran "$FAKE/calls"
  untouched
}
