#!/bin/sh
# Brings a running server to what the manifest says, from inside its pod: settings, who may connect, the role's password.
# Arguments: the text of pg_hba.conf, the text of settings.conf, the role, the database. Standard input: what psql shall run
# afterwards; it finds the variables `role`, `database`, `reload` and `changed` (the settings, with commas, that the manifest
# has changed since the server was started). Prints what psql prints. Exit code 10: the server refuses the settings, which stay
# as they were; 11: the statements did not arrive whole; other codes are psql's own.
set -u
hba=$1 settings=$2 role=$3 name=$4
input=$(cat)
case $input in *'-- end') ;; *) echo "the operator's statements did not arrive whole: nothing was done" >&2 && exit 11 ;; esac
command -v postgres >/dev/null 2>&1 || PATH=$PATH:/usr/lib/postgresql/$(cat "$PGDATA/PG_VERSION")/bin
due=$VDB_RUN/reload-due

# Changed as a whole, and only if it differs. That the server has to read it is noted before: whoever comes after a run that
# ended half-way finds equal files, and would take them for files in force.
put() { # file, text
  [ "$(cat "$1" 2>/dev/null; printf .)" = "$2." ] && return 0
  echo "$$" >"$due" && printf '%s' "$2" >"$1.new" && mv "$1.new" "$1"
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
put "$VDB_RUN/settings.conf" "$settings" || exit
put "$VDB_RUN/pg_hba.conf" "$hba" || exit
reload=0 noted=
if [ -f "$due" ]; then reload=1 noted=$(cat "$due"); fi
# What stands in one of the two alone.
changed=$(sort "$VDB_RUN/settings.conf" "$VDB_RUN/settings.started" 2>/dev/null | uniq -u | sed 's/ .*//' | tr '\n' ,)

export PGHOST="$VDB_RUN" PGCONNECT_TIMEOUT=5 PGAPPNAME=delphix-operator
# Nothing that somebody put into the database or its settings may stand in for what the statements mean.
export PGOPTIONS='-c search_path=pg_catalog -c default_transaction_read_only=off -c statement_timeout=20s -c lock_timeout=5s'
code=2
for user in "$role" postgres; do
  for database in postgres template1; do
    answer=$(printf '%s\n' "$input" | psql -XAtq -U "$user" -d "$database" -v ON_ERROR_STOP=1 -v role="$role" \
      -v database="$name" -v reload="$reload" -v changed="$changed" -f -)
    code=$?
    [ "$code" -eq 2 ] || break 2 # 2: could not connect
  done
done
if [ "$code" -eq 0 ] && [ "$reload" = 1 ] && [ "$(cat "$due" 2>/dev/null)" = "$noted" ]; then
  case $answer in *'"loaded" : true'*) rm -f "$due" ;; esac
fi
printf '%s\n' "$answer"
exit "$code"
