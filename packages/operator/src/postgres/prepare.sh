#!/bin/sh
# Brings a running server to what the manifest says, from inside its pod: settings, who may connect, the role's password.
# Arguments: the text of pg_hba.conf, the text of settings.conf, the role. Standard input: what psql shall run afterwards;
# it finds the variables `role` and `reload`. Prints what psql prints. Exit code 10: the server refuses the settings, which
# stay as they were; other codes are psql's own.
set -u
hba=$1 settings=$2 role=$3
input=$(cat)
command -v postgres >/dev/null 2>&1 || PATH=$PATH:/usr/lib/postgresql/$(cat "$PGDATA/PG_VERSION")/bin
reload=0

put() { # file, text: changed as a whole, and only if it differs
  [ "$(cat "$1" 2>/dev/null; printf .)" = "$2." ] && return 0
  printf '%s' "$2" >"$1.new" && mv "$1.new" "$1" && reload=1
}

# Asked before anything is changed: a running database must not lose its settings to a bad one.
printf '%s' "$settings" >"$VDB_RUN/settings.check"
if ! cmp -s "$VDB_RUN/settings.check" "$VDB_RUN/settings.conf"; then
  sed "s|settings\.conf'|settings.check'|" "$VDB_RUN/postgresql.conf" >"$VDB_RUN/postgresql.check"
  if ! postgres -D "$PGDATA" -c config_file="$VDB_RUN/postgresql.check" -C shared_buffers 2>"$VDB_RUN/check" >/dev/null; then
    sed 's/^.*LOG:  //; s/ in file ".*" line [0-9]*//; /FATAL:/d' "$VDB_RUN/check" | tr '\n' ' ' | cut -c 1-1500 >&2
    exit 10
  fi
fi
put "$VDB_RUN/settings.conf" "$settings"
put "$VDB_RUN/pg_hba.conf" "$hba"

export PGHOST="$VDB_RUN" PGCONNECT_TIMEOUT=5 PGAPPNAME=delphix-operator
# Nothing that somebody put into the database may stand in for what the statements mean.
export PGOPTIONS='-c search_path=pg_catalog -c statement_timeout=20s -c lock_timeout=5s'
code=2
for user in "$role" postgres; do
  for database in postgres template1; do
    printf '%s\n' "$input" | psql -XAtq -U "$user" -d "$database" -v ON_ERROR_STOP=1 -v role="$role" -v reload="$reload" -f -
    code=$?
    [ "$code" -eq 2 ] || exit "$code" # 2: could not connect
  done
done
exit "$code"
