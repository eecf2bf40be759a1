#!/bin/sh
# The holder of the cluster's namespaces: sets them up, says so, and sleeps. Runs as process of `unshare --net --mount`.
# usage: inside.sh STATE PROGRAMS
set -eu

# Everything that daemons, shims, iptables and pods write to /run stays inside. The state gets one name whatever the
# machine calls it: configuration files need no templates, and sockets keep within a path's 107 characters.
mount -t tmpfs -o mode=755 cluster /run
mkdir /run/cluster /run/tools /run/sysctl /run/lock
mount --bind "$1" /run/cluster
mount --bind "$2" /run/tools
# The paths that manifests of CSI drivers name (/var/lib/kubelet …) are the cluster's own. Nothing is made on the
# machine, and two clusters do not meet in /var/lib/delphix-engine.
mount --bind /run/cluster/var/lib /var/lib
mount --bind /run/cluster/var/log /var/log

# The kubelet sets these for the whole machine, whatever namespace it is in, and would make it panic on an oops.
# It writes to files of ours instead.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=/run/sysctl/$(echo "${setting%=*}" | tr / .)
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done

# A pod with Bidirectional mounts needs a shared mount to pass them on to: these are shared among the cluster's
# pods alone. Last, so that no two of the mounts above are each other's copies.
mount --make-rshared /

ip link set lo up
ip link add cni0 type bridge
ip address add 10.244.0.1/16 dev cni0
ip link set cni0 up
# There is no default route. Without this one a Service's address is unreachable before the packet filter sees it.
ip route add 10.96.0.0/16 dev cni0
echo 1 >/proc/sys/net/ipv4/ip_forward

touch /run/cluster/run/namespaces
exec sleep infinity
