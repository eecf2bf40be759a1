# shellcheck shell=bash
# Debian packages, installed only where one is missing.

# What a cluster needs to run and its images to be built.
cluster_packages=(
  runc containernetworking-plugins iptables conntrack iproute2 # containers and their network
  util-linux procps kmod openssl mount                         # namespaces, keys
  btrfs-progs e2fsprogs                                         # the engine's pool in tests outside the cluster
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
  command -v dpkg-query >/dev/null || fail "this machine is not a Debian: install what these packages hold: $*"
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] && return
  need_root "install the missing Debian packages ${missing[*]}"
  with_progress "installing Debian packages: ${missing[*]}" no_status apt_install "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}"
  packages_listed=yes
}

apt_install() {
  [ -n "${packages_listed:-}" ] || apt-get update || return
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}
