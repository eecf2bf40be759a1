# shellcheck shell=bash
# One cgroup over everything the cluster runs: by it every process is found again, however deep it forked.
#
# Two kinds of machine: v2 alone; or v1 controllers with a v2 tree beside them at /sys/fs/cgroup/unified, which then only
# knows the processes, while the kubelet uses the controllers. (The tests run on a machine of the second kind.)

cgroups=/sys/fs/cgroup
if [ -e $cgroups/cgroup.controllers ]; then unified=$cgroups; else unified=$cgroups/unified; fi

cgroup_name() { echo "delphix-$name"; }
cgroup_folders() { # in every tree, whether they are there or not
  local tree
  if [ $unified = $cgroups ]; then
    echo "$cgroups/$(cgroup_name)"
  else
    for tree in $cgroups/*/; do [ -L "${tree%/}" ] || echo "$tree$(cgroup_name)"; done
  fi
}

make_cgroup() {
  local folder file controller
  for folder in $(cgroup_folders); do mkdir -p "$folder"; done
  folder=$unified/$(cgroup_name)
  mkdir -p "$folder/daemons"
  if [ $unified = $cgroups ]; then
    # Controllers are handed down by name, and only through cgroups that hold no process themselves: hence "daemons".
    for controller in $(cat $cgroups/cgroup.controllers); do
      for file in $cgroups "$folder"; do echo "+$controller" >"$file/cgroup.subtree_control" || true; done
    done
  elif [ -d $cgroups/cpuset ]; then
    # A new v1 cpuset is empty, and nothing can run in it.
    for file in cpus mems; do cat "$cgroups/cpuset/cpuset.$file" >"$cgroups/cpuset/$(cgroup_name)/cpuset.$file"; done
  fi
}

cgroup_processes() {
  local folder
  for folder in $(cgroup_folders); do find "$folder" -name cgroup.procs -exec cat {} + 2>/dev/null || true; done | sort -u
}

# Ends every process of the cluster, then removes the cgroups. Both namespaces go with their last process.
end_cgroup() {
  local processes folder tries
  for ((tries = 0; tries < 200; tries++)); do
    [ -w "$unified/$(cgroup_name)/cgroup.kill" ] && echo 1 >"$unified/$(cgroup_name)/cgroup.kill"
    processes=$(cgroup_processes)
    [ -z "$processes" ] && break
    # Those that only the v1 trees know, and all of them on a kernel without cgroup.kill (before 5.14).
    # shellcheck disable=SC2086
    kill -KILL $processes 2>/dev/null || true
    sleep 0.05
  done
  for folder in $(cgroup_folders); do
    # A v1 cgroup stays busy for an instant after its last process.
    for ((tries = 0; tries < 100; tries++)); do
      find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [ -d "$folder" ] || break
      sleep 0.05
    done
    [ ! -d "$folder" ] || fail "cannot remove the cgroup $folder; its processes: $(cgroup_processes | xargs)"
  done
}
