# shellcheck shell=bash
# The image of the container that holds a pod's namespaces, made here: a cluster starts without any that cluster/images builds.

# A docker archive of one layer, which holds one program.
load_pause() {
  local folder=$state/pause digest
  mkdir "$folder"
  tar --create --file "$folder/layer.tar" --directory "$programs" --dereference --owner=0 --group=0 --mode=0755 pause
  digest=$(sha256sum <"$folder/layer.tar" | cut -d ' ' -f 1)
  cat >"$folder/config.json" <<J
{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/pause"],"User":"65535:65535"},"rootfs":{"type":"layers","diff_ids":["sha256:$digest"]}}
J
  echo '[{"Config":"config.json","RepoTags":["registry.local/pause:1"],"Layers":["layer.tar"]}]' >"$folder/manifest.json"
  tar --create --directory "$folder" manifest.json config.json layer.tar | import_image ||
    fail "containerd does not take the image of the pause container: $(tail -n 3 "$state/logs/import.log")"
  rm -r "$folder"
}
