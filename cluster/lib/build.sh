# shellcheck shell=bash
# Builds the programs of cluster/go, each module into FOLDER/bin: static, without a C compiler. A changed module is built alone.

prepare_go() {
  [ -z "${go_prepared:-}" ] || return 0
  mkdir "$scratch/go"
  find_go "$scratch/go"
  if [ -z "${KEEP_GO_CACHE:-}" ]; then export GOCACHE=$scratch/gocache GOMODCACHE=$scratch/gomod; fi
  go_prepared=yes
}

build_kube() { # FOLDER
  local bin=$1/bin version name
  # Without these values kubelet and API server call themselves v0.0.0-master, and clients refuse them.
  version=$(sed -n 's/^\tk8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$root/cluster/go/kube/go.mod")
  local package=k8s.io/component-base/version
  local minor=${version#v1.}
  local flags="-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean"
  build_module kube "Kubernetes ${version#v}, etcd, containerd, CoreDNS" "$bin" "$flags" . ./coredns ./forward ./pause tool
  mv "$bin/kube" "$bin/kubernetes"
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    ln -s kubernetes "$bin/$name"
  done
}

build_csi() { # FOLDER
  build_module csi "csi-provisioner, csi-snapshotter, csi-resizer, csi-attacher, snapshot-controller" "$1/bin" "-s -w" tool
}

build_helm() { # FOLDER
  local version
  version=$(sed -n 's/^\thelm.sh\/helm\/v4 \(v[0-9.]*\).*/\1/p' "$root/cluster/go/helm/go.mod")
  # Helm takes the Kubernetes version that charts see with `helm template` from here.
  build_module helm "Helm ${version#v}" "$1/bin" "-s -w -X helm.sh/helm/v4/internal/version.version=$version" tool
}

build_csi-sanity() { # FOLDER
  build_module csi-sanity "csi-sanity, for tests" "$1/bin" "-s -w" tool
}

build_kstatus() { # FOLDER
  build_module kstatus "kstatus, for tests" "$1/bin" "-s -w" .
}

build_module() { # MODULE WHAT FOLDER LDFLAGS PACKAGE…
  local module=$1 what=$2 bin=$3 flags=$4
  shift 4
  prepare_go
  mkdir "$bin"
  with_progress "building $what" go_status \
    env -C "$root/cluster/go/$module" CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local GOWORK=off \
    nice "$go" build -v -trimpath -buildvcs=false -ldflags "$flags" -o "$bin/" "$@"
}
