# shellcheck shell=bash
# Whether the cluster runs, and who may change it. To be sourced after common.sh and cgroup.sh.

# One up or down at a time for one name. The lock lies beside the state, which down removes.
lock_cluster() { take_lock 9 "$state_home/.$name.lock" "another up or down of cluster $name"; }

# daemon_runs NAME. A process number alone proves nothing: numbers are used again after a reboot.
daemon_runs() {
  local pid
  pid=$(cat "$state/run/$1.pid" 2>/dev/null) &&
    grep -qxF "$pid" "$unified/$(cgroup_name)/daemons/cgroup.procs" 2>/dev/null
}

# Whether there are namespaces to enter.
is_running() { [ -e "$state/ready" ] && daemon_runs holder; }

# Prints the daemons that were started and have ended.
ended_daemons() {
  local file
  for file in "$state"/run/*.pid; do daemon_runs "$(basename "$file" .pid)" || basename "$file" .pid; done
}

# Names are known to the whole machine, states to one user: what another's state belongs to is not ours to end.
refuse_foreign() {
  local process other
  for process in $(cgroup_processes); do
    other=$({ tr '\0' '\n' <"/proc/$process/environ" | sed -n 's/^CLUSTER_STATE=//p'; } 2>/dev/null) || continue
    [ -n "$other" ] || continue
    [ "$other" = "$state" ] && return
    fail "a cluster named $name is running with its state in $other: choose another CLUSTER_NAME, or end that one by" \
      "XDG_STATE_HOME=${other%/delphix-operator/clusters/*} cluster/down"
  done
}

# import_image brings the docker archive on standard input into the cluster.
import_image() {
  nsenter --target "$(cat "$state/run/holder.pid")" --net --mount --wdns=/run/cluster \
    /run/tools/ctr --namespace k8s.io images import - >"$state/logs/import.log" 2>&1
}

# What an up that failed, a crash or a reboot left is removed like a whole cluster.
has_remains() {
  [ -e "$state" ] && return
  local folder
  for folder in $(cgroup_folders); do [ ! -d "$folder" ] || return 0; done
  return 1
}

# The loop devices whose backing file lies in the cluster's state. The file's path says nothing: it is the one inside.
loop_devices() {
  local device inode path
  losetup --list --noheadings --raw --output NAME,BACK-INO,BACK-FILE 2>/dev/null | while read -r device inode path; do
    [ -n "$(find "$state" -xdev -inum "${inode:-0}" -name "$(basename "${path% (deleted)}")" -print -quit 2>/dev/null)" ] && echo "$device"
  done
  return 0
}

# Removes every trace. The devices are looked up while their files exist, and mounts go with the namespaces.
remove_cluster() {
  local devices
  mapfile -t devices < <(loop_devices)
  end_cgroup
  [ ${#devices[@]} = 0 ] || detach "${devices[@]}"
  ! cmp -s "$kubeconfig" "$state/kubeconfig" || rm -f "$kubeconfig"
  rm -rf --one-file-system "$state"
}

# A device attached by `mount -o loop` leaves with its mount, a moment after the namespace; others have to be told.
detach() {
  local device tries
  for device in "$@"; do
    for ((tries = 0; tries < 100; tries++)); do
      losetup --list --noheadings --raw --output NAME | grep -qxF "$device" || break
      [ $tries -lt 10 ] || losetup --detach "$device" 2>/dev/null || true
      sleep 0.1
    done
  done
}
