# shellcheck shell=bash
# A sign of life from long commands, also where there is no terminal; interrupted, they end with the script.
# Sourcing this takes the script's EXIT trap: clean_up, which a script may define anew, is called when the command has ended.

trap 'end_command; clean_up' EXIT
trap 'exit 130' INT # else bash goes on where the signal is sent to it alone
clean_up() { [ -z "${scratch:-}" ] || remove_build "$scratch"; } # of make_build_folder

# with_progress WHAT STATUS COMMAND…: runs COMMAND with its output in a log, and prints a line every 15 s. STATUS is a
# shell function that gets the log's name and says how far it is. Where COMMAND fails, so does this, with the log's end.
with_progress() {
  local what=$1 status=$2 from=$SECONDS result=0
  shift 2
  command_log=$(mktemp)
  say "$what"
  # In a process group of its own, by which all of it is found again, compilers and all.
  set -m
  "$@" >"$command_log" 2>&1 </dev/null &
  set +m
  command_group=$!
  while waits_for "$command_group" 15; do say "$what: $(elapsed "$from")$("$status" "$command_log")"; done
  wait "$command_group" || result=$?
  command_group=
  if [ "$result" != 0 ]; then
    tail -n 40 "$command_log" >&2
    say "$what: failed after $(elapsed "$from"); the end of its output is above" >&2
  fi
  rm -f "$command_log"
  return "$result"
}

# Ends what with_progress runs, and waits for it: what it writes to is removed next.
end_command() {
  [ -n "${command_group:-}" ] || return 0
  local tries
  for ((tries = 0; tries < 150; tries++)); do
    [ $((tries % 100)) != 0 ] || kill "-$([ $tries = 0 ] && echo TERM || echo KILL)" -- "-$command_group" 2>/dev/null || true
    kill -0 -- "-$command_group" 2>/dev/null || break
    sleep 0.1
  done
  wait "$command_group" 2>/dev/null || true
  rm -f "$command_log"
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
go_status() {
  local packages
  packages=$(grep -vc '^go: ' "$1")
  echo ", $(grep -c '^go: downloading ' "$1") modules downloaded, $packages packages compiled$(time_left "$packages")"
}
time_left() { :; } # PACKAGES compiled: a script that knows defines it anew
# at_this_pace SECONDS DONE ALL: says how long the rest takes, once enough is done to tell.
at_this_pace() {
  local rest=$(($3 > $2 ? $3 - $2 : 0))
  [ $(($2 * 20)) -lt "$3" ] || echo "; about $(($1 * rest / $2 / 60 + 1)) min left"
}
