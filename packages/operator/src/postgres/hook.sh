#!/bin/sh
# Runs a hook in the database's pod, once, and finds it again after the operator or the connection was lost.
# Arguments: the folder that is its token, its time in seconds, `sql` or `command`, the database, how long to wait here, what its
# sessions are called, how many bytes of its output are kept, how much psql says of an error.
# Standard input: its text. Prints `exit CODE`, `running` or `interrupted` in the first line, then the end of its output.
# With `end` instead of `sql` or `command` whatever runs under the token is ended, and nothing can begin under it any more.
set -u
token=$1 seconds=$2 type=$3 database=$4 wait=$5 sessions=$6 most=$7 verbosity=$8
text=$(cat; printf .) && text=${text%.}
# Texts are UTF-8, whatever the role, the database or the image takes for granted.
export PGDATABASE="$database" PGAPPNAME="$sessions" PGCLIENTENCODING=UTF8
# What has been said to be done must outlive a crash; and a statement must not outlive its hook.
export PGOPTIONS="-c synchronous_commit=on -c statement_timeout=${seconds}s"
case $(cat "$PGDATA/PG_VERSION") in 9.* | 1[0-3]) ;; *) PGOPTIONS="$PGOPTIONS -c client_connection_check_interval=1s" ;; esac

# The source may have dropped the database postgres.
ask() { for name in postgres "$PGDATABASE"; do PGDATABASE=$name PGAPPNAME=delphix-operator psql -XAtq -c "$1" 2>/dev/null && break; done; }
# A backend goes on with its statement when its client has been killed, and commits.
end_sessions() {
  tries=50
  sql="SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE application_name = '$sessions'"
  while [ "$tries" -gt 0 ] && [ -n "$(ask "$sql")" ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
}
# Everything that a run began is of its session, whatever process groups `timeout` and shells have made in it.
processes() {
  for stat in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null <"$stat" || continue
    set -- ${line##*) } # state, parent, group, session
    if [ "$4" = "$session" ] && [ "$1" != Z ]; then stat=${stat%/stat} && echo "${stat##*/}"; fi
  done
}
# A runner without `pid` looks for `unwanted` when it has written that.
end_run() {
  : >"$token/unwanted"
  # After `interrupted` the number in `pid` may be another process's.
  if [ -f "$token/pid" ] && [ ! -f "$token/exit" ] && [ ! -f "$token/interrupted" ]; then
    session=$(cat "$token/pid") tries=50
    while found=$(processes) && [ -n "$found" ] && [ "$tries" -gt 0 ]; do
      kill -KILL $found 2>/dev/null
      tries=$((tries - 1))
      sleep 0.1
    done
  fi
  : >"$token/interrupted"
}

# What runs the hook, in a session of its own under `timeout`, so that its end takes all its processes along. Exit code 0 is
# believed only when nothing is left open: a transaction that psql's end rolls back, a process or a statement still at work, a
# transaction that is prepared alone. `tail` bounds what is kept of the output.
runner=$(cat <<'RUNNER'
echo $$ >"$VDB_TOKEN/pid.new" && mv "$VDB_TOKEN/pid.new" "$VDB_TOKEN/pid"
[ ! -f "$VDB_TOKEN/unwanted" ] || exit 0
ask() { for name in postgres "$PGDATABASE"; do PGDATABASE=$name PGAPPNAME=delphix-operator psql -XAtq -c "$1" 2>/dev/null && break; done; }
# Neither what this shell itself has begun nor what has ended.
left_behind() {
  read -r own rest </proc/self/stat
  left=
  for stat in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null <"$stat" || continue
    pid=${line%% *}
    set -- ${line##*) } # state, parent, group, session
    if [ "$4" = $$ ] && [ "$1" != Z ] && [ "$pid" != $$ ] && [ "$2" != $$ ] && [ "$2" != "$own" ]; then left="$left $pid"; fi
  done
  # Those that have left the session have kept its environment.
  for environment in $(grep -alFs "VDB_TOKEN=$VDB_TOKEN" /proc/[0-9]*/environ); do
    pid=${environment#/proc/} && pid=${pid%/environ}
    read -r line 2>/dev/null <"/proc/$pid/stat" || continue
    set -- ${line##*) }
    if [ "$4" != $$ ] && [ "$1" != Z ]; then left="$left $pid"; fi
  done
  [ -n "$left" ] || [ -n "$(ask "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE application_name = '$VDB_NAME' LIMIT 1")" ]
}
judge() {
  if [ -f "$VDB_TOKEN/check" ] && [ ! -f "$VDB_TOKEN/committed" ]; then
    echo "it left a transaction open, which PostgreSQL has rolled back: end it with COMMIT"
    return 3
  fi
  last=$(($(date +%s) + 2)) # what ends with it may take a moment longer
  while left_behind; do
    if [ "$(date +%s)" -gt "$last" ]; then
      kill -KILL $left 2>/dev/null
      echo "it ended before its work in the background, which the operator has ended too: let it wait for that (wait)"
      return 3
    fi
    sleep 0.1
  done
  prepared=$(ask "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE prepared >= '$VDB_BEGUN'")
  [ -n "$prepared" ] || return 0
  echo "it left a transaction open, prepared but not committed: end it with COMMIT PREPARED; its id:" $prepared
  return 3
}
{
  timeout -k 5 "$VDB_SECONDS" "$@" 2>&1
  code=$?
  # As the start script ends the server, what fails has not failed by itself.
  if [ "$code" = 0 ]; then judge || code=$?; fi
  if [ "$code" != 0 ] && [ -f "${VDB_TOKEN%/hooks/*}/stopping" ]; then
    : >"$VDB_TOKEN/interrupted"
  else
    echo "$code" >"$VDB_TOKEN/exit.new"
    mv "$VDB_TOKEN/exit.new" "$VDB_TOKEN/exit"
  fi
} | tail -c "$VDB_MOST" >"$VDB_TOKEN/output"
: >"$VDB_TOKEN/told"
RUNNER
)

# The end of the output as text: what is not UTF-8, and what would steer a terminal, is escaped (\xNN). `tail` may have cut a
# letter in two.
print_output() {
  [ -s "$token/output" ] || return 0
  od -An -v -tu1 "$token/output" | LC_ALL=C awk -v most="$most" '
    { for (i = 1; i <= NF; i++) b[n++] = $i }
    END {
      i = 0
      if (n >= most) while (i < 3 && b[i] >= 128 && b[i] < 192) i++
      while (i < n) {
        c = b[i]
        size = c < 128 ? 1 : c >= 194 && c < 224 ? 2 : c >= 224 && c < 240 ? 3 : c >= 240 && c < 245 ? 4 : 0
        fine = size > 0 && i + size <= n && (c > 31 || c == 9 || c == 10 || c == 13) && c != 127
        for (j = 1; fine && j < size; j++) if (b[i + j] < 128 || b[i + j] > 191) fine = 0
        # Longer than need be, half of a surrogate pair, beyond the last code point.
        if (c == 224 && b[i + 1] < 160 || c == 237 && b[i + 1] > 159 || c == 240 && b[i + 1] < 144 || c == 244 && b[i + 1] > 143) fine = 0
        if (!fine) { printf "\\x%02X", c; i++; continue }
        for (j = 0; j < size; j++) printf "%c", b[i + j]
        i += size
      }
    }
  '
}

# mkdir is what only one can do once: whoever comes second waits for the first one's end.
if ! mkdir -p "${token%/*}" || ! mkdir "$token" 2>/dev/null; then
  if [ "$type" = end ]; then end_run; fi
elif [ "$type" = end ]; then
  : >"$token/interrupted"
else
  printf '%s' "$text" >"$token/text"
  chmod 0700 "$token/text"
  case $type in
  sql)
    # Read after the hook's own text in the same session, whatever that ends with. In a transaction block time stands still, and
    # in one that has failed nothing is answered.
    cat >"$token/check" <<CHECK
\set ECHO none
\set QUIET on
\timing off
\set ON_ERROR_STOP off
\set AUTOCOMMIT on
\set vdb_open true
SELECT pg_catalog.now() OPERATOR(pg_catalog.<>) pg_catalog.statement_timestamp() AS vdb_open \gset
\if :vdb_open
\else
\! : >'$token/committed'
\endif
CHECK
    set -- psql -X -v ON_ERROR_STOP=1 -v VERBOSITY="$verbosity" -f "$token/text" -f "$token/check"
    ;;
  *) case $text in '#!'*) set -- "$token/text" ;; *) set -- /bin/sh "$token/text" ;; esac ;;
  esac
  VDB_TOKEN=$token VDB_NAME=$sessions VDB_MOST=$most VDB_SECONDS=$seconds VDB_BEGUN=$(date -u +%Y-%m-%dT%H:%M:%SZ) \
    setsid /bin/sh -c "$runner" hook "$@" </dev/null >/dev/null 2>&1 &
fi

tenths=$((wait * 10))
interrupted() { end_sessions; echo interrupted && print_output; exit 0; }
while [ ! -f "$token/exit" ]; do
  [ ! -f "$token/interrupted" ] || interrupted # by the start script, when the container was restarted under it, or by `end`
  [ "$tenths" -gt 0 ] || break
  tenths=$((tenths - 1))
  sleep 0.1
  # Begun, but nobody at work and no end: something killed it.
  if [ -f "$token/pid" ] && [ ! -f "$token/exit" ] && ! kill -0 "$(cat "$token/pid")" 2>/dev/null; then
    sleep 0.2
    [ -f "$token/exit" ] || interrupted
  fi
done
if [ -f "$token/exit" ]; then
  # `tail` writes when its last writer has ended; one that has failed may have left some.
  tries=20
  while [ ! -f "$token/told" ] && [ "$tries" -gt 0 ]; do tries=$((tries - 1)) && sleep 0.1; done
  [ "$(cat "$token/exit")" = 0 ] || end_sessions
  echo "exit $(cat "$token/exit")"
else
  echo running
fi
print_output
exit 0
