#!/bin/bash
# Starts PostgreSQL in a container; makes and fills the database first where PGDATA holds none. It behaves as users of the
# official image know it: POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_INITDB_WALDIR,
# POSTGRES_HOST_AUTH_METHOD, each also as NAME_FILE; PGDATA; scripts in /docker-entrypoint-initdb.d; root or uid 999.
set -euo pipefail

main() {
  case ${1:-} in -*) set -- postgres "$@" ;; esac
  [ "${1:-}" = postgres ] && ! asks_only "$@" || exec "$@"
  if [ "$(id -u)" = 0 ]; then
    hand_over_folders
    export HOME=/var/lib/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "${BASH_SOURCE[0]}" "$@"
  fi
  make_folder "$PGDATA"
  if [ -s "$PGDATA/PG_VERSION" ]; then
    echo "PGDATA holds a database: it is started as it is"
  else
    create_database "$@"
  fi
  unset POSTGRES_PASSWORD PGPASSWORD # the server needs no password in its environment
  exec "$@"
}

asks_only() { # postgres --version and the like start no server
  local argument
  for argument in "$@"; do
    case $argument in -\? | --help | --describe-config | -V | --version) return 0 ;; esac
  done
  return 1
}

hand_over_folders() {
  local folder
  for folder in "$PGDATA" "${POSTGRES_INITDB_WALDIR:-}" /run/postgresql; do
    [ -n "$folder" ] || continue
    make_folder "$folder"
    find "$folder" ! -user postgres -exec chown postgres:postgres {} +
  done
}

# 0700 is what the server insists on. Where the folder is somebody else's, the server's own message says more than chmod's.
make_folder() {
  mkdir -p "$1"
  [ "$1" = /run/postgresql ] || chmod 0700 "$1" 2>/dev/null || true
}

create_database() {
  local setting
  for setting in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file $setting; done
  : "${POSTGRES_USER:=postgres}" "${POSTGRES_DB:=$POSTGRES_USER}" "${POSTGRES_HOST_AUTH_METHOD:=}"
  export POSTGRES_USER POSTGRES_DB
  require_password
  run_initdb
  allow_hosts "$@"
  start_for_setup "$@"
  [ "$POSTGRES_DB" = postgres ] || query --dbname postgres --set database="$POSTGRES_DB" <<<'CREATE DATABASE :"database";'
  run_scripts /docker-entrypoint-initdb.d/*
  PGUSER=$POSTGRES_USER pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
  unset PGPASSWORD
  echo "the database is made; starting it"
}

from_file() { # NAME: the value of NAME_FILE's file, where NAME itself is not set
  local file=$1_FILE
  if [ -n "${!file:-}" ]; then
    [ -z "${!1:-}" ] || give_up "both $1 and $file are set: set one of them"
    export "$1"="$(<"${!file}")"
    unset "$file"
  fi
}

require_password() {
  [ "$POSTGRES_HOST_AUTH_METHOD" != trust ] || {
    echo "WARNING: POSTGRES_HOST_AUTH_METHOD=trust lets everybody who reaches the port in, without a password" >&2
    return
  }
  [ -n "${POSTGRES_PASSWORD:-}" ] ||
    give_up "there is no database in $PGDATA and no password to make one with: set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE)"
}

run_initdb() {
  local arguments=(--username="$POSTGRES_USER")
  [ -z "${POSTGRES_INITDB_WALDIR:-}" ] || arguments+=(--waldir="$POSTGRES_INITDB_WALDIR")
  # The password goes by a file descriptor: an argument could be read in the process list. The extra arguments are split
  # at quotes and blanks, as a shell would split them.
  eval "initdb --pgdata=\"\$PGDATA\" \"\${arguments[@]}\" --pwfile=<(printf '%s\n' \"\${POSTGRES_PASSWORD:-}\") ${POSTGRES_INITDB_ARGS:-}"
}

allow_hosts() { # the server says which method its passwords are stored for
  local method=$POSTGRES_HOST_AUTH_METHOD
  [ -n "$method" ] || method=$(postgres -C password_encryption "${@:2}")
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# On the socket alone: nobody from outside sees a database that is half made.
start_for_setup() {
  export PGPASSWORD=${PGPASSWORD:-${POSTGRES_PASSWORD:-}}
  PGUSER=$POSTGRES_USER pg_ctl --pgdata "$PGDATA" --wait start --options "$(printf '%q ' "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")"
}

query() { PGHOST='' PGHOSTADDR='' psql --no-psqlrc --no-password --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --quiet "$@"; }

run_scripts() {
  local file
  for file in "$@"; do
    case $file in
    *.sh) run_shell_script "$file" ;;
    *.sql) echo "running $file" && query --dbname "$POSTGRES_DB" --file "$file" ;;
    *.sql.gz) echo "running $file" && gunzip --stdout "$file" | query --dbname "$POSTGRES_DB" ;;
    *.sql.xz) echo "running $file" && xz --decompress --stdout "$file" | query --dbname "$POSTGRES_DB" ;;
    *) [ ! -e "$file" ] || echo "leaving out $file: its name ends in none of .sh .sql .sql.gz .sql.xz" ;;
    esac
  done
}

# An executable script runs by itself; any other is read by this shell, whose settings it may change.
run_shell_script() {
  echo "running $1"
  if [ -x "$1" ]; then "$1"; else . "$1"; fi
}

give_up() {
  echo "error: $*" >&2
  exit 1
}

main "$@"
