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
  echo "$$" >"$due" && printf '%s' "$2" >"$1.new" && mv -f "$1.new" "$1"
}

refuse() { # with PostgreSQL's words in the file, without times and process numbers
  awk '
    { sub(/ in file ".*" line [0-9]+/, "") }
    /configuration file ".*" contains errors/ || /skipping missing configuration file/ { next }
    sub(/^postgres: /, "") || sub(/^.*(LOG|FATAL|PANIC|ERROR|HINT|DETAIL):  */, "") { words = words " " $0 }
    END { print substr(words, 2, 1500) }
  ' "$1" >&2
  exit 10
}
# Whether a server would start by this configuration file. Since version 15 PostgreSQL tells all but whether there is memory
# enough (libraries, certificates, what does not go together) about a data directory that no server holds: one of links will do.
would_start() {
  set -- -c config_file="$1" -c hba_file="$VDB_RUN/pg_hba.conf" -c archive_mode=off -c lc_messages=C
  trial=$VDB_RUN/trial
  rm -rf "$trial"
  case $(cat "$PGDATA/PG_VERSION") in
  9.* | 1[0-4]) ;;
  *)
    if (umask 077 && mkdir "$trial" && ln -s "$PGDATA"/* "$trial/" && rm -f "$trial"/postmaster.*); then
      postgres -D "$trial" "$@" -C shared_memory_size
      return
    fi
    ;;
  esac
  postgres -D "$PGDATA" "$@" -C shared_buffers
}
# Asked before anything is changed: a running database must not lose its settings to bad ones.
printf '%s' "$settings" >"$VDB_RUN/settings.check"
if cmp -s "$VDB_RUN/settings.check" "$VDB_RUN/settings.refused"; then
  cat "$VDB_RUN/settings.refused.words" >&2 # the start script has tried them in this pod
  exit 10
fi
if ! cmp -s "$VDB_RUN/settings.check" "$VDB_RUN/settings.conf"; then
  sed "s|settings\.conf'|settings.check'|" "$VDB_RUN/postgresql.conf" >"$VDB_RUN/postgresql.check"
  would_start "$VDB_RUN/postgresql.check" 2>"$VDB_RUN/check" >/dev/null || refuse "$VDB_RUN/check"
fi
put "$VDB_RUN/settings.conf" "$settings" || exit
cmp -s "$VDB_RUN/settings.check" "$VDB_RUN/settings.wanted" || mv -f "$VDB_RUN/settings.check" "$VDB_RUN/settings.wanted" || exit
put "$VDB_RUN/pg_hba.conf" "$hba" || exit
# What stands in one of the two alone. What the data needed at the start gives way to what the manifest says now: the next start
# looks anew what it needs.
changed=$(sort "$VDB_RUN/settings.conf" "$VDB_RUN/settings.started" 2>/dev/null | uniq -u | sed 's/ .*//' | sort -u)
for name in $changed; do
  if grep -qi "^$name " "$VDB_RUN/minimums.conf" 2>/dev/null; then
    put "$VDB_RUN/minimums.conf" "$(grep -vi "^$name " "$VDB_RUN/minimums.conf")" || exit
  fi
done
changed=$(printf '%s\n' "$changed" | tr '\n' ,)
reload=0 noted=
if [ -f "$due" ]; then reload=1 noted=$(cat "$due"); fi

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
# All in force in a running server: the start script falls back to these.
case $answer in
*'"pendingRestart" : []'*'"loaded" : true'*)
  proven=$PGDATA/vdb-proven-settings
  printf '# content %s\n%s' "$VDB_CONTENT_ID" "$settings" >"$VDB_RUN/settings.proven"
  cmp -s "$VDB_RUN/settings.proven" "$proven" ||
    { dd if="$VDB_RUN/settings.proven" of="$proven.prepared" conv=fsync 2>/dev/null && mv -f "$proven.prepared" "$proven"; }
  ;;
esac
printf '%s\n' "$answer"
exit "$code"
