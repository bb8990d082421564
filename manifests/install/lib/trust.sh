# shellcheck shell=bash
# Every file of the bundle against SHA256SUMS, and SHA256SUMS against a signature, before anything is touched.

trust_check() {
  step step-trust
  trust_list
  BUNDLER=$(carried bundler || true)
  if [ -n "$BUNDLER" ] && trust_file "${BUNDLER#"$HERE/"}" && "$BUNDLER" --version >/dev/null 2>&1; then
    # Several times as fast, and it looks into the images too.
    "$BUNDLER" verify --quiet "$HERE" >"$WORK/verify" 2>&1 || {
      tail -n 20 "$WORK/verify" >&2
      die bundle-bad
    }
  else
    BUNDLER=
    trust_files <"$HERE/SHA256SUMS"
  fi
}

# All but the images: what is run, and the manifests that are read.
trust_programs() {
  trust_list
  awk 'index(substr($0, 67), "blobs/") != 1' "$HERE/SHA256SUMS" >"$WORK/sums"
  trust_files <"$WORK/sums"
}

trust_list() {
  [ -r "$HERE/SHA256SUMS" ] || die sums-missing
  trust_signature
}

# stdin: lines of SHA256SUMS.
trust_files() {
  (cd "$HERE" && sha256sum --check --quiet --strict -) >"$WORK/verify" 2>&1 || {
    head -n 20 "$WORK/verify" >&2
    die bundle-bad
  }
  trust_extra
}

# PATH: one file of the bundle against its line.
trust_file() {
  local line
  line=$(awk -v path="$1" 'substr($0, 67) == path' "$HERE/SHA256SUMS")
  [ -n "$line" ] && (cd "$HERE" && printf '%s\n' "$line" | sha256sum --check --status -)
}

# What the list does not name was put here by somebody, and directories of manifests are applied whole.
trust_extra() {
  local extra
  (cd "$HERE" && find . -type f ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | cut -c3- | LC_ALL=C sort) >"$WORK/found"
  cut -c67- "$HERE/SHA256SUMS" | LC_ALL=C sort >"$WORK/listed"
  extra=$(LC_ALL=C comm -23 "$WORK/found" "$WORK/listed" | sed -n 1,5p)
  [ -z "$extra" ] || die bundle-extra "$extra"
}

trust_signature() {
  local signers=$SITE_SIGNERS
  [ -n "$signers" ] || return 0
  [ -r "$signers" ] || die file-unreadable "$signers"
  [ -r "$HERE/SHA256SUMS.sig" ] || die signature-missing
  command -v ssh-keygen >/dev/null || die tool-missing ssh-keygen
  ssh-keygen -Y verify -f "$signers" -I "$SITE_SIGNER" -n bundler -s "$HERE/SHA256SUMS.sig" \
    <"$HERE/SHA256SUMS" >"$WORK/signature" 2>&1 || {
    tail -n 5 "$WORK/signature" >&2
    die signature-bad "$SITE_SIGNER"
  }
}
