# shellcheck shell=bash
# What every script of this folder shares: where things lie, how they speak. To be sourced; makes nothing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/delphix-operator
state_home=${XDG_STATE_HOME:-$HOME/.local/state}/delphix-operator/clusters
# Debian keeps iptables, runc and losetup where a plain user's PATH does not look.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Folders of the cache are named by what they are built from: a changed version is another folder.
key_of() { (cd "$root/cluster" && find "$@" -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-12; }
tools_folder() { echo "$cache/tools-$(key_of go lib/build.sh)"; }
postgres_folder() { echo "$cache/postgres16-$(key_of lib/postgres.sh)"; }

say() { echo "${0##*/}: $*"; }
fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}
need_root() { [ "$(id -u)" = 0 ] || fail "only root may $1; run it again as root (sudo -E make …)"; }

not_for_current() { [ -z "${CLUSTER:-}" ] || fail "CLUSTER=current is a cluster of yours: $1"; }

# choose_cluster sets name and state for CLUSTER_NAME. A name is part of a cgroup's and a folder's name.
choose_cluster() {
  [[ ${CLUSTER:-} =~ ^(current)?$ ]] || fail "CLUSTER=$CLUSTER: its only value is \"current\", the current context of kubectl"
  name=${CLUSTER_NAME:-delphix}
  [[ $name =~ ^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$ ]] ||
    fail "CLUSTER_NAME=$name: a name is 1 to 30 lower-case letters, digits and inner dashes"
  state=$state_home/$name
  kubeconfig=${CLUSTER_KUBECONFIG:-$root/.local/kubeconfig}
}
