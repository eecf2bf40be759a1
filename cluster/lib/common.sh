# shellcheck shell=bash
# What every script of this folder shares: where things lie, how they speak. To be sourced; makes nothing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/delphix-operator
state_home=${XDG_STATE_HOME:-$HOME/.local/state}/delphix-operator/clusters
# Debian keeps iptables, runc and losetup where a plain user's PATH does not look.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL=C.UTF-8 # else keys depend on how a locale sorts, and times have a comma in some

# Folders of the cache are named by what they are built from: a changed version is another folder.
key_of() { (cd "$root/cluster" && find "$@" -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-12; }
go_modules=(kube csi helm)
test_modules=(csi-sanity kstatus) # what only tests run
module_folder() { echo "$cache/go-$1-$(key_of "go/$1" lib/build.sh)"; }
tools_folder() { echo "$cache/tools-$(key_of "${go_modules[@]/#/go/}" lib/build.sh)"; }
definitions_folder() { echo "$cache/crds-$(key_of go/csi lib/definitions.sh)"; }
oldest_folder() { echo "$cache/oldest-$(key_of oldest)"; }
suite_folder() { echo "$cache/storage-suite-$(key_of ../e2e/storage-suite/{go.mod,go.sum,suite_test.go,build})"; }
postgres_folder() { echo "$cache/postgres16-$(key_of lib/postgres.sh)"; }

say() { echo "${0##*/}: $*"; }
fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}
need_root() { [ "$(id -u)" = 0 ] || fail "only root may $1; run it again as root (sudo -E make …)"; }

not_for_current() { [ -z "${CLUSTER:-}" ] || fail "CLUSTER=current is a cluster of yours: $1"; }

# take_lock FD FILE WHAT: holds the lock FILE by file descriptor FD until the script ends; WHAT says who else may have it.
# Whoever is done removes the file: a lock on a removed file excludes nobody, so it is taken again.
take_lock() {
  (umask 077 && mkdir -p "$(dirname "$2")")
  until [ "$2" -ef "/proc/$BASHPID/fd/$1" ]; do
    eval "exec $1>\"\$2\""
    flock -n "$1" || { say "$3 is running: waiting for it" && flock "$1"; }
  done
}

# make_build_folder sets scratch to a new folder of the cache, for what is built before it is moved to its place. Its name says whose it is.
make_build_folder() {
  local owner=$BASHPID # of this shell, not of the one that a substitution starts
  mkdir -p "$cache"
  scratch=$(mktemp -d "$cache/.build.$owner.XXXXXX")
}

# sweep_builds removes those of builds that were killed, and of no other: several may run, each for another place.
sweep_builds() {
  local folder owner
  for folder in "$cache"/.build.*; do
    owner=${folder##*/.build.} owner=${owner%%.*}
    [ ! -d "$folder" ] || [ -e "/proc/$owner" ] || remove_build "$folder"
  done
}

remove_build() {
  chmod -R u+w "$@" 2>/dev/null || true # Go makes its module cache read-only
  rm -rf "$@"
}

# Where the tests of a run on the cluster NAME keep their files: short, because sockets lie in it, and known by the name alone,
# because whoever comes after a killed run ends it.
scratch_of() { echo "/tmp/vdb-$1"; }

# remove_scratch NAME: what killed tests left mounted in it goes first.
remove_scratch() {
  local folder mount
  folder=$(scratch_of "$1")
  [ -d "$folder" ] || return 0
  # A blank in a path is told as \x20, which %b turns back.
  findmnt --raw --noheadings --output TARGET | grep -F "$folder/" | sort -r | while read -r mount; do umount --lazy "$(printf %b "$mount")"; done || true
  rm -rf --one-file-system "$folder"
}

# sweep_scratch removes the files of test runs without a cluster that were killed: a run NAME is `run-` and its process number.
sweep_scratch() {
  local folder
  for folder in "$(scratch_of run-)"*; do
    [ ! -d "$folder" ] || [ -e "/proc/${folder##*-}" ] || remove_scratch "run-${folder##*-}"
  done
}

# choose_cluster sets name, state and kubeconfig for CLUSTER_NAME. A name is part of a cgroup's and a folder's name.
# Only the demo's kubeconfig is called that: another cluster must not take its place, nor be taken for it.
choose_cluster() {
  [[ ${CLUSTER:-} =~ ^(current)?$ ]] || fail "CLUSTER=$CLUSTER: its only value is \"current\", the current context of kubectl"
  name=${CLUSTER_NAME:-delphix}
  [[ $name =~ ^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$ ]] ||
    fail "CLUSTER_NAME=$name: a name is 1 to 30 lower-case letters, digits and inner dashes"
  state=$state_home/$name
  kubeconfig=$root/.local/$name.kubeconfig
  [ "$name" != delphix ] || kubeconfig=$root/.local/kubeconfig
  kubeconfig=${CLUSTER_KUBECONFIG:-$kubeconfig}
}
