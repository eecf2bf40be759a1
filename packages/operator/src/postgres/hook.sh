#!/bin/sh
# Runs a hook in the database's pod, once, and finds it again after the operator or the connection was lost.
# Arguments: the folder that is its token, its time in seconds, `sql` or `command`, the database, how long to wait here.
# Standard input: its text. Prints `exit CODE`, `running` or `interrupted` in the first line, then the end of its output.
# With `end` instead of `sql` or `command` whatever runs under the token is ended, and nothing can begin under it any more.
set -u
token=$1 seconds=$2 type=$3 database=$4 wait=$5
text=$(cat; printf .) && text=${text%.}
export PGDATABASE="$database" PGAPPNAME=delphix-hook
# What has been said to be done must outlive a crash; and a statement must not outlive its hook.
export PGOPTIONS="-c synchronous_commit=on -c statement_timeout=${seconds}s"
case $(cat "$PGDATA/PG_VERSION") in 9.* | 1[0-3]) ;; *) PGOPTIONS="$PGOPTIONS -c client_connection_check_interval=1s" ;; esac

# A backend goes on with its statement when its client has been killed, and commits.
end_sessions() {
  tries=50
  sql="SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE application_name = 'delphix-hook'"
  while [ "$tries" -gt 0 ] && [ -n "$(PGAPPNAME=delphix-operator psql -XAtq -d postgres -c "$sql" 2>/dev/null)" ]; do
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
end_run() {
  tries=10
  while [ ! -f "$token/pid" ] && [ "$tries" -gt 0 ]; do tries=$((tries - 1)) && sleep 0.1; done
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

# mkdir is what only one can do once: whoever comes second waits for the first one's end.
if ! mkdir -p "${token%/*}" || ! mkdir "$token" 2>/dev/null; then
  if [ "$type" = end ]; then end_run; fi
elif [ "$type" = end ]; then
  : >"$token/interrupted"
else
  printf '%s' "$text" >"$token/text"
  chmod 0700 "$token/text"
  case $type in
  sql) set -- psql -X -v ON_ERROR_STOP=1 -f "$token/text" ;;
  *) case $text in '#!'*) set -- "$token/text" ;; *) set -- /bin/sh "$token/text" ;; esac ;;
  esac
  # A session of its own under `timeout`, so that its end takes all its processes along. `tail` bounds what is kept.
  VDB_TOKEN=$token VDB_SECONDS=$seconds setsid /bin/sh -c '
    echo $$ >"$VDB_TOKEN/pid"
    {
      timeout -k 5 "$VDB_SECONDS" "$@" 2>&1
      code=$?
      # As the start script ends the server, what fails has not failed by itself.
      if [ "$code" != 0 ] && [ -f "${VDB_TOKEN%/hooks/*}/stopping" ]; then
        : >"$VDB_TOKEN/interrupted"
      else
        echo "$code" >"$VDB_TOKEN/exit.new"
        mv "$VDB_TOKEN/exit.new" "$VDB_TOKEN/exit"
      fi
    } | tail -c 4096 >"$VDB_TOKEN/output"
  ' hook "$@" </dev/null >/dev/null 2>&1 &
fi

tenths=$((wait * 10))
interrupted() { end_sessions; echo interrupted && cat "$token/output" 2>/dev/null; exit 0; }
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
  sleep 0.05 # `tail` writes when its last writer has ended
  [ "$(cat "$token/exit")" = 0 ] || end_sessions
  echo "exit $(cat "$token/exit")"
else
  echo running
fi
cat "$token/output" 2>/dev/null
exit 0
