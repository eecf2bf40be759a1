# shellcheck shell=bash
# A sign of life from long commands, also where there is no terminal.

# with_progress WHAT STATUS COMMAND…: runs COMMAND with its output in a log, and prints a line every 15 s. STATUS is a
# shell function that gets the log's name and says how far it is. Where COMMAND fails, so does this, with the log's end.
with_progress() {
  local what=$1 status=$2 from=$SECONDS log pid result=0
  shift 2
  log=$(mktemp)
  say "$what"
  "$@" >"$log" 2>&1 &
  pid=$!
  while waits_for "$pid" 15; do say "$what: $(elapsed "$from")$("$status" "$log")"; done
  wait "$pid" || result=$?
  if [ "$result" != 0 ]; then
    tail -n 40 "$log" >&2
    say "$what: failed after $(elapsed "$from"); the end of its output is above" >&2
  fi
  rm -f "$log"
  return "$result"
}

# waits_for PID SECONDS: true when the process is still there after that time; false as soon as it is not.
waits_for() {
  local tick
  for ((tick = 0; tick < $2 * 5; tick++)); do
    kill -0 "$1" 2>/dev/null || return 1
    sleep 0.2
  done
}

elapsed() {
  local seconds=$((SECONDS - $1))
  printf '%d min %02d s' $((seconds / 60)) $((seconds % 60))
}

no_status() { :; }
go_status() { echo ", $(grep -c '^go: downloading ' "$1") modules downloaded, $(grep -vc '^go: ' "$1") packages compiled"; }
