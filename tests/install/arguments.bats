# The command line, the language and the log.
load setup

@test "help tells every command in both languages" {
  install help
  [ "$status" -eq 0 ]
  for command in preflight cloud images edge verify status send-test-alert uninstall; do
    says "  $command"
  done
  LC_ALL=zh_CN.UTF-8 install
  [ "$status" -eq 0 ]
  says "检查本机和集群"
}

@test "unknown words are usage errors" {
  for wrong in "clud" "--dryrun" "cloud edge" "cloud --only stak" "cloud --profile moon" "verify --format xml" "cloud --namespace A_b" \
    "cloud --values /nowhere" "cloud --only" "send-test-alert --severity bad"; do
    # shellcheck disable=SC2086
    install $wrong
    [ "$status" -eq 2 ] || { echo "$wrong: $status"; false; }
  done
  [ ! -s "$FAKE/calls" ]
}

@test "who is not root is told before anything is read" {
  printf '#!/bin/sh\necho 1000\n' >"$BATS_TEST_TMPDIR/bin/id" && chmod 755 "$BATS_TEST_TMPDIR/bin/id"
  for command in cloud edge images; do
    install "$command"
    [ "$status" -eq 1 ]
    says "run it as root"
  done
  [ ! -s "$FAKE/calls" ]
}

@test "it takes bash whichever shell it is given to" {
  for shell in dash 'busybox sh' 'bash --posix'; do
    # shellcheck disable=SC2086
    run $shell "$bundle/install.sh" preflight --profile nothing </dev/null
    [ "$status" -eq 2 ] || { echo "$shell: $output"; false; }
    says "nothing"
    cd "$bundle"
    # shellcheck disable=SC2086
    run $shell install.sh help </dev/null
    [ "$status" -eq 0 ] || { echo "$shell: $output"; false; }
    says "install or upgrade the control plane"
  done
}

@test "a terminal that is not UTF-8 gets English" {
  for said in zh_CN.GBK zh_CN.gb18030 zh_TW.Big5; do
    run env LC_ALL="$said" bash "$bundle/install.sh" help
    says 'install or upgrade the control plane'
  done
  for said in zh zh_CN zh_CN.UTF-8 zh_CN.utf8@radical; do
    run env LC_ALL="$said" bash "$bundle/install.sh" help
    says '安装或升级云端控制面'
  done
}

@test "a bundle for another machine is refused" {
  printf '#!/bin/sh\necho riscv64\n' >"$BATS_TEST_TMPDIR/bin/uname" && chmod 755 "$BATS_TEST_TMPDIR/bin/uname"
  install cloud
  [ "$status" -eq 1 ]
  says "this machine is riscv64"
}

@test "it runs from any directory, through a link, and with spaces in its path" {
  kubeedge
  mv "$bundle" "$BATS_TEST_TMPDIR/a bundle (1)" && bundle="$BATS_TEST_TMPDIR/a bundle (1)"
  ln -s "$bundle/install.sh" "$BATS_TEST_TMPDIR/run me.sh"
  cd /
  run bash "$BATS_TEST_TMPDIR/run me.sh" cloud </dev/null
  [ "$status" -eq 0 ]
  calls "helm upgrade --install kube-prometheus-stack"
}

@test "the log is for root only and has each command" {
  install cloud --log "$BATS_TEST_TMPDIR/some dir/x.log"
  [ "$status" -eq 0 ]
  [ "$(stat -c %a "$BATS_TEST_TMPDIR/some dir/x.log")" = 600 ]
  grep -q 'upgrade --install kube-prometheus-stack' "$BATS_TEST_TMPDIR/some dir/x.log"
}

@test "a log that cannot be written is an error" {
  install cloud --log /proc/nowhere/x.log
  [ "$status" -eq 1 ]
  says "cannot write the log"
}

@test "both languages have the same texts with the same gaps" {
  for language in en zh; do
    grep -v '^#' "$root/manifests/install/lib/messages/$language.txt" |
      awk '{ key = $1; n = gsub(/%s/, ""); print key, n }' | sort >"$BATS_TEST_TMPDIR/$language"
  done
  diff "$BATS_TEST_TMPDIR/en" "$BATS_TEST_TMPDIR/zh"
  [ "$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/en" | uniq -d)" = "" ]
}

@test "every text that is used is there, and every one that is there is used" {
  cd "$root/manifests/install"
  cut -d' ' -f1 lib/messages/en.txt | grep -v '^#' | sort >"$BATS_TEST_TMPDIR/there"
  while read -r key; do
    # Kinds of settings and statuses are put together from parts.
    [[ $key == kind-* ]] || grep -qE "(^|[^a-z-])$key([^a-z-]|\$)" lib/*.sh || { echo "nobody says $key"; false; }
  done <"$BATS_TEST_TMPDIR/there"
  grep -ohE "(text|say|warn|die|step|complain|confirm|wrong_usage) [a-z0-9]+(-[a-z0-9]+)+" lib/*.sh | awk '{ print $2 }' | sort -u | comm -23 - "$BATS_TEST_TMPDIR/there" >"$BATS_TEST_TMPDIR/missing"
  [ ! -s "$BATS_TEST_TMPDIR/missing" ] || { cat "$BATS_TEST_TMPDIR/missing"; false; }
  grep -ohE "result (PASS|WARN|FAIL|SKIP) [^ ]+ [a-z0-9-]+" lib/*.sh | awk '{ print $4 }' | sort -u | comm -23 - "$BATS_TEST_TMPDIR/there" >"$BATS_TEST_TMPDIR/missing"
  [ ! -s "$BATS_TEST_TMPDIR/missing" ] || { cat "$BATS_TEST_TMPDIR/missing"; false; }
}
