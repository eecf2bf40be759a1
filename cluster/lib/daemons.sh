# shellcheck shell=bash
# Starting the cluster's daemons, each in the cluster's cgroup and with a log of its own.

holder() { cat "$state/run/holder.pid"; }

# start NAME COMMAND…: outlives this script and its terminal, takes nothing from its environment, holds none of its locks.
start() {
  local daemon=$1
  shift
  env -i CLUSTER_STATE="$state" PATH="$programs:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LANG=C.UTF-8 \
    setsid sh -c 'echo $$ >"$0" && exec "$@"' "$unified/$(cgroup_name)/daemons/cgroup.procs" "$@" \
    >"$state/logs/$daemon.log" 2>&1 </dev/null 7>&- 9>&- &
  echo $! >"$state/run/$daemon.pid"
}
start_inside() {
  local daemon=$1
  shift
  start "$daemon" nsenter --target "$(holder)" --net --mount --wdns=/run/cluster "$@"
}

start_holder() {
  # slave: what the machine mounts or unmounts later is followed inside; nothing goes the other way.
  start holder unshare --net --mount --propagation slave sh "$root/cluster/lib/inside.sh" "$state" "$programs"
  wait_for "the namespaces" 10 holder [ -e "$state/run/namespaces" ]
}

# The API server's port, on the machine and inside. It is chosen and taken under one lock of the whole machine, because
# another user's cluster may start at the same moment; the lock is a folder that is there anyway.
open_port() {
  exec 7</run
  flock 7
  port=16443
  while port_answers "$port"; do ((++port < 16643)) || fail "no free port between 16443 and 16642"; done
  start forward forward -listen "127.0.0.1:$port" -namespace "/proc/$(holder)/ns/net" -to "127.0.0.1:$port"
  wait_for "port $port of the machine" 10 forward port_answers "$port"
  exec 7<&-
}
port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_api() { # PORT
  local keys=/run/cluster/keys audit=()
  # Written behind the answers, in one file: the log is read when the cluster's tests are over.
  [ -z "${AUDIT:-}" ] || audit=(--audit-policy-file=/run/cluster/config/audit.yaml --audit-log-path=/run/cluster/var/log/audit.log
    --audit-log-mode=batch --audit-log-maxsize=10000)
  # No fsync: what a test cluster loses in a power cut it may lose.
  start_inside etcd etcd --data-dir var/etcd --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
  start_inside kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
    --bind-address=0.0.0.0 --advertise-address=10.244.0.1 --secure-port="$1" --service-cluster-ip-range=10.96.0.0/16 \
    --tls-cert-file=$keys/kube-apiserver.crt --tls-private-key-file=$keys/kube-apiserver.key --client-ca-file=$keys/ca.crt \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=$keys/service-accounts.key \
    --service-account-signing-key-file=$keys/service-accounts.key \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --kubelet-client-certificate=$keys/admin.crt --kubelet-client-key=$keys/admin.key \
    --kubelet-certificate-authority=$keys/ca.crt --kubelet-preferred-address-types=InternalIP "${audit[@]}"
}

start_controllers() { # when the API server answers: without it they give up
  local keys=/run/cluster/keys config=/run/cluster/config
  start_inside kube-controller-manager kube-controller-manager --kubeconfig=$config/kube-controller-manager.kubeconfig \
    --service-account-private-key-file=$keys/service-accounts.key --root-ca-file=$keys/ca.crt --use-service-account-credentials \
    --cluster-signing-cert-file=$keys/ca.crt --cluster-signing-key-file=$keys/ca.key --leader-elect=false \
    --flex-volume-plugin-dir=/run/cluster/var/volume-plugins # else /usr/libexec/kubernetes appears on the machine
  start_inside kube-scheduler kube-scheduler --kubeconfig=$config/kube-scheduler.kubeconfig --leader-elect=false
}

start_kubelet() {
  local config=/run/cluster/config
  start_inside kubelet kubelet --config=$config/kubelet.yaml --kubeconfig=$config/kubelet.kubeconfig \
    --hostname-override=node1 --node-ip=10.244.0.1 --cgroup-root="/$(cgroup_name)"
}

start_node() {
  local config=/run/cluster/config
  start_kubelet
  start_inside kube-proxy kube-proxy --config=$config/kube-proxy.yaml
  start_inside coredns coredns -conf $config/Corefile
}

# wait_for WHAT SECONDS DAEMON COMMAND…: the daemon's log is shown where the time is not enough; where another one has
# ended, that one's, at once.
wait_for() {
  local what=$1 seconds=$2 daemon=$3 from=$SECONDS ended
  shift 3
  until "$@" >/dev/null 2>&1; do
    ended=$(ended_child)
    if [ -n "$ended" ]; then
      give_up "$ended" "cannot start $what: $ended has ended"
    elif ((SECONDS - from > seconds)); then
      give_up "$daemon" "$what did not come up within $seconds s"
    fi
    sleep 0.1
  done
}

# By the process alone: one that has just been started is not yet in its cgroup, and cannot be another's, being our child.
ended_child() {
  local file
  for file in "$state"/run/*.pid; do
    kill -0 "$(cat "$file")" 2>/dev/null || { basename "$file" .pid && return; }
  done
}

give_up() { # DAEMON WHY
  tail -n 15 "$state/logs/$1.log" >&2
  fail "$2; the end of $state/logs/$1.log is above. cluster/down removes what has started"
}
