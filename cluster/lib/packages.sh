# shellcheck shell=bash
# Debian packages, installed only where one is missing.

# What a cluster needs to run and its images to be built.
cluster_packages=(
  runc containernetworking-plugins iptables conntrack iproute2 # containers and their network
  util-linux procps kmod openssl mount                         # namespaces, keys
  btrfs-progs xfsprogs e2fsprogs                                # the engine's pool in tests outside the cluster
  debootstrap skopeo patchelf unzip xz-utils ca-certificates    # images
)

# missing_packages NAME…: those of them that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# install_packages NAME…: nothing to do costs some milliseconds, and needs neither root nor network.
install_packages() {
  local missing
  command -v dpkg-query >/dev/null || fail "this machine does not run Debian: install the contents of these packages: $*"
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] && return
  need_root "install the missing Debian packages ${missing[*]}"
  with_progress "installing Debian packages: ${missing[*]}" no_status apt_install "${missing[@]}" ||
    fail "apt-get cannot install ${missing[*]}"
  packages_listed=yes
}

# A machine that has just started updates itself, and two builds may start at once: wait for each other.
apt_install() {
  local wait=(-o DPkg::Lock::Timeout=300)
  [ -n "${packages_listed:-}" ] || apt_update "${wait[@]}" || return
  dpkg --configure -a || return # what an interrupted installation left
  DEBIAN_FRONTEND=noninteractive apt-get "${wait[@]}" install -y --no-install-recommends "$@"
}

# apt-get waits for the lock of dpkg, but not for that of the package lists.
apt_update() {
  local tries
  for tries in {1..6}; do
    [ "$tries" = 1 ] || sleep 10
    apt-get "$@" update && return
  done
  return 1
}
