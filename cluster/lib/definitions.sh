# shellcheck shell=bash
# The definitions of VolumeSnapshot, VolumeSnapshotClass and VolumeSnapshotContent, from the Go module of the release that
# csi-snapshotter is built of.

definitions_module=github.com/kubernetes-csi/external-snapshotter/client/v8

fetch_definitions() { # FOLDER
  local folder=$1 found kind
  prepare_go
  found=$(env -C "$root/cluster/go/csi" GOFLAGS=-mod=readonly GOTOOLCHAIN=local GOWORK=off \
    "$go" mod download -json "$definitions_module" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
  [ -d "$found/config/crd" ] || fail "the Go module $definitions_module has no folder config/crd"
  mkdir "$folder/crds"
  for kind in volumesnapshotclasses volumesnapshotcontents volumesnapshots; do
    # By the label the chart knows that it has brought them itself.
    sed '0,/^metadata:$/s//metadata:\n  labels: { app.kubernetes.io\/part-of: delphix-storage }/' \
      "$found/config/crd/snapshot.storage.k8s.io_$kind.yaml" >"$folder/crds/$kind.yaml"
    grep -q 'part-of: delphix-storage' "$folder/crds/$kind.yaml" || fail "the definition of $kind has no metadata"
  done
  cp "$found/LICENSE" "$folder/crds/"
}

# Helm installs what lies in a chart's folder crds/ where the cluster has none.
place_definitions() { # FOLDER
  local chart=$root/charts/delphix-storage
  diff -rq "$1/crds" "$chart/crds" >/dev/null 2>&1 && return
  rm -rf "$chart/crds"
  cp -r --no-preserve=mode "$1/crds" "$chart/"
}
