# shellcheck shell=bash
# What every command begins with: the log, the site's settings, this machine, and whether the bundle is what it was.

begin() {
  log_open
  site_load
  case $COMMAND in
    cloud | edge | images | uninstall) need_root ;;
  esac
  tools_arch
  case $COMMAND in
    cloud | edge | images | preflight) trust_check ;;
    # Images are most of a bundle, and nothing else looks at them.
    *) trust_programs ;;
  esac
  tools_find
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die root-needed "$COMMAND"
}
