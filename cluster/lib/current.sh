# shellcheck shell=bash
# Images into a cluster of the user's: the current context of kubectl, with CLUSTER=current and never otherwise.

# What is brought where no image is named: what the charts name. The cluster gets postgres:16.2 where everybody gets it,
# unless it is one that images are handed to anyway.
our_images=(operator csi engine csi-provisioner csi-snapshotter csi-resizer csi-attacher snapshot-controller)

# load_into_current [NAME…]: CLUSTER_CONTEXT is the context that was current when its owner agreed.
load_into_current() {
  local context way image archive
  PATH=$PATH:$root/.local/bin # kubectl, where the user has none
  context=${CLUSTER_CONTEXT:-$(kubectl config current-context)} || fail "CLUSTER=current: kubectl has no current context"
  way=$(way_into "$context")
  consent "$context"
  archive=$(mktemp)
  # shellcheck disable=SC2064
  trap "rm -f '$archive'" EXIT
  # shellcheck disable=SC2046
  [ $# -gt 0 ] || set -- "${our_images[@]}" $([ "$way" = registry ] || echo postgres)
  for image in "$@"; do
    say "image $image: to context $context by $way"
    pack_image "$root/.local/images/$image" >"$archive"
    "by_$way" "$context" "$image" "$archive"
  done
}

# way_into CONTEXT: kind, k3s or registry. Prints nothing else; where none fits, it fails and says what would.
way_into() {
  if [ -n "${REGISTRY:-}" ]; then
    echo registry
  elif [[ $1 == kind-* ]] && command -v kind >/dev/null; then
    echo kind
  elif command -v k3s >/dev/null && kubectl --context "$1" get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}' | grep -q '+k3s'; then
    echo k3s
  else
    fail "cannot bring images into context $1: it is neither kind nor the k3s of this machine. Set REGISTRY=host/path to a registry" \
      "that you may push to (log in by skopeo login) and that the cluster's nodes can pull from"
  fi
}

consent() {
  local answer=
  [ "${YES:-}" = 1 ] && return
  if [ -t 0 ]; then read -r -p "Bring images into ${REGISTRY:-context $1}? Type yes: " answer; fi
  [ "$answer" = yes ] || fail "context $1 is unchanged: set YES=1, or answer yes, to go on"
}

by_kind() { kind load image-archive "$3" --name "${1#kind-}"; }
by_k3s() { k3s ctr images import "$3"; }

# The charts are given the references of the registry from here on, until images/build writes the local ones again.
by_registry() {
  local list=$root/.local/images.json local_reference reference
  local_reference=$(sed -n "s/^  \"$2\": \"\(.*\)\".*/\1/p" "$list")
  reference=${REGISTRY%/}/${local_reference##*/}
  skopeo --insecure-policy copy --quiet "docker-archive:$3" "docker://$reference" ||
    fail "skopeo cannot push $reference (its output is above)"
  sed -i "s|^\(  \"$2\": \)\".*\"|\1\"$reference\"|" "$list"
}
