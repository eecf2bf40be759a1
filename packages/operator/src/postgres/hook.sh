#!/bin/sh
# Runs a hook in the database's pod, once, and finds it again after the operator or the connection was lost.
# Arguments: the folder that is its token, its time in seconds, `sql` or `command`, the database, how long to wait here.
# Standard input: its text. Prints `exit CODE`, `running` or `interrupted` in the first line, then the end of its output.
set -u
token=$1 seconds=$2 type=$3 database=$4 wait=$5
text=$(cat; printf .) && text=${text%.}
export PGDATABASE="$database" PGAPPNAME=delphix-hook

# mkdir is what only one can do once: whoever comes second waits for the first one's end.
if mkdir -p "${token%/*}" && mkdir "$token" 2>/dev/null; then
  printf '%s' "$text" >"$token/text"
  chmod 0700 "$token/text"
  case $type in
  sql) set -- psql -X -v ON_ERROR_STOP=1 -f "$token/text" ;;
  *) case $text in '#!'*) set -- "$token/text" ;; *) set -- /bin/sh "$token/text" ;; esac ;;
  esac
  # A process group of its own under `timeout`, so that its end takes all its processes along. `tail` bounds what is kept.
  VDB_TOKEN=$token VDB_SECONDS=$seconds setsid /bin/sh -c '
    echo $$ >"$VDB_TOKEN/pid"
    {
      timeout -k 5 "$VDB_SECONDS" "$@" 2>&1
      echo $? >"$VDB_TOKEN/exit.new"
      mv "$VDB_TOKEN/exit.new" "$VDB_TOKEN/exit"
    } | tail -c 4096 >"$VDB_TOKEN/output"
  ' hook "$@" </dev/null >/dev/null 2>&1 &
fi

tenths=$((wait * 10))
interrupted() { echo interrupted && cat "$token/output" 2>/dev/null; exit 0; }
while [ ! -f "$token/exit" ] && [ "$tenths" -gt 0 ]; do
  tenths=$((tenths - 1))
  sleep 0.1
  [ ! -f "$token/interrupted" ] || interrupted # by the start script, when the container was restarted under it
  # Begun, but nobody at work and no end: something killed it.
  if [ -f "$token/pid" ] && [ ! -f "$token/exit" ] && ! kill -0 "$(cat "$token/pid")" 2>/dev/null; then
    sleep 0.2
    [ -f "$token/exit" ] || interrupted
  fi
done
if [ -f "$token/exit" ]; then
  sleep 0.05 # `tail` writes when its last writer has ended
  echo "exit $(cat "$token/exit")"
else
  echo running
fi
cat "$token/output" 2>/dev/null
exit 0
