#!/bin/sh
# Makes a copy of somebody's data directory fit to run as a database of its own, then runs PostgreSQL.
#
# Guarantees: never makes a database (no initdb), never changes an owner, ends in a reason and a message for people when it
# cannot start. What is done to the data is done once per content id, can be interrupted anywhere, and is told in
# $PGDATA/vdb-dropped-settings.
#
# It runs again and again in the same pod: VDB_RUN and /dev/shm outlive the container, with all that it left in them. Settings
# that the server does not start with are given up for those that it last started with ($PGDATA/vdb-proven-settings).
#
# From the pod: PGDATA, PGPORT, VDB_MOUNT (where the volume is), VDB_CONTENT_ID, VDB_MEMORY_LIMIT_MB (0: none is known). With
# VDB_DATA_FOLDER the data lies in that folder of the volume (empty: where it is found), and PGDATA is to be a link to it.
# VDB_MODE: Primary; Preparing: the same behind the shut gate, whatever pg_hba.conf says; Standby: read-only.
# VDB_CONFIG holds pg_hba.conf and settings.conf, read-only; VDB_RUN is writable. VDB_TLS, if it is set, holds the Secret with the
# certificate, if it exists; then VDB_CONFIG has tls.sh too.
set -eu
umask 077
trap 'exit 143' TERM INT # as process 1 this shell would ignore them, and a deleted pod would linger for its grace period

: "${VDB_CONFIG:=/etc/vdb}" "${VDB_RUN:=/var/run/postgresql}" "${VDB_TERMINATION_LOG:=/dev/termination-log}"
: "${VDB_MODE:=Primary}"
: "${VDB_SHM:=/dev/shm}" "${VDB_CGROUPS:=/sys/fs/cgroup}" "${VDB_OWN_CGROUPS:=/proc/self/cgroup}"

fail() { # reason, message
  printf 'vdb:%s: %s\n' "$1" "$2" >"$VDB_TERMINATION_LOG" || :
  printf 'vdb:%s: %s\n' "$1" "$2" >&2
  exit 1
}
listing() { # of a folder, in one line
  found=$(ls -A "$1" 2>&1 | head -n 8 | tr '\n' ' ')
  printf '%s' "${found:-nothing}"
}

# Replaces a file as a whole, whatever its mode: standard input becomes the file.
put() { cat >"$1.new" && mv -f "$1.new" "$1"; }
keep() { # the same on the volume: what it says outlives a crash
  dd of="$1.new" conv=fsync 2>"$VDB_RUN/dd" || { cat "$VDB_RUN/dd" >&2 && return 1; }
  mv -f "$1.new" "$1"
}

# What ran in this pod's previous container has ended with it, even if another process has its number now.
rm -f "$VDB_RUN/stopping" "$VDB_RUN/check" "$VDB_RUN/inherited" "$VDB_RUN/proven" "$VDB_RUN/start.log" "$VDB_RUN/dd" "$VDB_RUN/asked"
for token in "$VDB_RUN"/hooks/*; do
  if [ -d "$token" ] && [ ! -f "$token/exit" ]; then true >"$token/interrupted"; fi
done

# --- Is this a database, ours to run? -------------------------------------------------------------------------------------

[ -d "$VDB_MOUNT" ] || fail NotADatabase "the folder $VDB_MOUNT does not exist in the pod: the volume is not mounted"

# Looks for data directories in a folder and, so many levels deep, below it: not in links, nor in what is a data directory. Some
# folders of a tablespace have a PG_VERSION too, but no global/pg_control.
look_in() {
  if [ ! -r "$1" ] || [ ! -x "$1" ]; then
    closed="$closed, ${1#"$VDB_MOUNT"/} (of $(stat -c %u:%g "$1"))"
  elif [ -s "$1/PG_VERSION" ]; then
    if [ -s "$1/global/pg_control" ]; then found_data="$found_data, ${1#"$VDB_MOUNT"/}" place=$1; else incomplete="$incomplete, ${1#"$VDB_MOUNT"/}"; fi
  elif [ "$2" -gt 0 ]; then
    for entry in "$1"/*; do
      if [ -d "$entry" ] && [ ! -L "$entry" ] && [ "${entry##*/}" != lost+found ]; then look_in "$entry" "$(($2 - 1))"; fi
    done
  fi
}
find_data() {
  found_data='' closed='' incomplete='' place=''
  look_in "$VDB_MOUNT" 3 # as deep as 18/docker and pgroot/data lie, and one more
  case ${found_data#, } in
  *', '*) fail DataAmbiguous "the volume has more than one data directory: ${found_data#, }; set spec.dataDirectory to the one that is meant" ;;
  ?*) return ;;
  esac
  [ -z "$closed" ] || fail OwnerMismatch "PostgreSQL, which runs as $(id -u):$(id -g), cannot read these folders of the volume, and finds no data elsewhere: ${closed#, }; set spec.ownershipSpec to the data's owner"
  [ -z "$incomplete" ] || fail NotADatabase "the volume has no whole data directory: there is a PG_VERSION but no global/pg_control in ${incomplete#, }"
  fail NotADatabase "the volume has no data directory, that is a folder with a PG_VERSION; $VDB_MOUNT contains: $(listing "$VDB_MOUNT")"
}

place=$PGDATA
if [ -n "${VDB_DATA_FOLDER+set}" ]; then
  case $VDB_DATA_FOLDER in
  '') find_data ;;
  .) place=$VDB_MOUNT ;;
  *) place=$VDB_MOUNT/$VDB_DATA_FOLDER ;;
  esac
  rm -f "$PGDATA"
  ln -s "$place" "$PGDATA"
fi
[ -d "$PGDATA" ] || fail NotADatabase "the volume has no folder ${place#"$VDB_MOUNT"/} with a PG_VERSION; $VDB_MOUNT contains: $(listing "$VDB_MOUNT")"
owner=$(stat -L -c %u:%g "$PGDATA")
[ "${owner%:*}" = "$(id -u)" ] || fail OwnerMismatch \
  "$place belongs to $owner, but PostgreSQL runs as $(id -u):$(id -g): set spec.ownershipSpec to the data's owner, or change the data's owner"
[ -s "$PGDATA/PG_VERSION" ] || fail NotADatabase "$place has no PG_VERSION, so it is not a data directory of PostgreSQL; it contains: $(listing "$PGDATA/")"
[ -s "$PGDATA/global/pg_control" ] || fail NotADatabase "$place has a PG_VERSION but no global/pg_control: the data directory is incomplete"
data_major=$(cat "$PGDATA/PG_VERSION")

# WAL and tablespaces behind links that lead nowhere here: the volume was mounted elsewhere. Where it has them, the link is mended
# with a relative one, which leads there wherever the volume is mounted; otherwise they lie on another volume.
inside() { # a link's target without its first folders, and what has to be in it; prints the path in the volume
  rest=${1#/}
  while :; do
    for entry in "$VDB_MOUNT/$rest"/$2; do if [ -e "$entry" ]; then printf '%s' "$rest" && return; fi; done
    case $rest in */*) rest=${rest#*/} ;; *) return 1 ;; esac
  done
}
up=$(printf '%s' "${place#"$VDB_MOUNT"}" | sed 's|/[^/]*|../|g')
for link in "$PGDATA/pg_wal" "$PGDATA/pg_xlog" "$PGDATA/pg_tblspc/"*; do
  [ -L "$link" ] && [ ! -d "$link" ] || continue
  target=$(readlink "$link") name=${link#"$PGDATA"/}
  case $name in
  pg_tblspc/*) rest=$(inside "$target" "PG_*") && rest=../$up$rest ;;
  *) rest=$(inside "$target" "[0-9A-F]*[0-9A-F]") && rest=$up$rest ;;
  esac || fail NotADatabase "$name in the data directory is a link to $target, which the volume does not contain: a part of the data lies on another volume; copy it into the data directory of the source"
  rm -f "$link.new"
  ln -s "$rest" "$link.new"
  mv -f "$link.new" "$link"
done
# A base backup follows a tablespace's relative link from the server's working directory: it would leave out, without a word, what
# lies outside of the data folder.
for link in "$PGDATA/pg_tblspc/"*; do
  [ -L "$link" ] || continue
  case $(readlink "$link") in /*) continue ;; esac
  target=$(readlink -f "$link")
  case $target in "$(readlink -f "$place")"/*) continue ;; esac
  rm -f "$link.new"
  ln -s "$target" "$link.new"
  mv -fT "$link.new" "$link" # without -T into the folder that it leads to
done

command -v postgres >/dev/null 2>&1 || PATH=$PATH:/usr/lib/postgresql/$data_major/bin:/usr/local/bin
server=$(command -v postgres) || fail ImageWithoutPostgres "the image has no program named postgres: set spec.image to an image of PostgreSQL $data_major"
image_version=$(postgres -V | sed 's/^[^0-9]*//; s/ .*//')
image_major=${image_version%%[!0-9]*}
case $data_major in 9.*) image_major=$(printf '%s' "$image_version" | cut -d. -f1,2) ;; esac
[ "$data_major" = "$image_major" ] || fail MajorMismatch \
  "the data is of PostgreSQL $data_major, but the image has PostgreSQL $image_version: set spec.image to an image of PostgreSQL $data_major (the data is untouched)"

# A deleted pod's successor starts while the deleted one still shuts down. PostgreSQL would not notice: both are process 1,
# each in its own container. The lock is held until the last process of the server has ended.
exec 9>>"$PGDATA/vdb.lock"
if ! command -v flock >/dev/null 2>&1; then
  echo "the image has no program named flock: nothing keeps two pods on the same volume apart" >&2
else
  # Beside the shell, which would not hear of its own end while it waits for a program.
  flock -n 9 || { echo "another pod's PostgreSQL still runs on this data: waiting for its end" >&2 && flock 9 & wait "$!"; }
  # Left by a server that was killed; its process number may by now be that of a probe in this container.
  rm -f "$PGDATA/postmaster.pid"
fi
# Also left by the pod's previous container, and in use by no process any more.
rm -f "$VDB_RUN"/.s.PGSQL.* "$VDB_SHM"/PostgreSQL.*

chmod 0700 "$PGDATA" # a volume's fsGroup leaves 0770, which PostgreSQL refuses

# --- What came with the copy, made harmless; once per content id ------------------------------------------------------------

folder=$(dirname "$(readlink -f "$server")")
inherited=$PGDATA/vdb-inherited.conf
mark="# content $VDB_CONTENT_ID"
first_line() { if [ -f "$1" ]; then head -n 1 "$1"; fi; }

# Prints the settings of the given files that may hold here; the names of the others go to the file `dropped`.
filter() {
  awk -v root="$PGDATA" -v dropped="$PGDATA/vdb-dropped-settings" -v libraries="$folder/../lib $folder/../lib/postgresql /usr/lib/postgresql/$data_major/lib /usr/local/lib/postgresql" '
    BEGIN {
      split("data_directory config_file hba_file ident_file external_pid_file listen_addresses port unix_socket_directories unix_socket_directory unix_socket_group unix_socket_permissions bonjour bonjour_name ssl krb_server_keyfile archive_mode archive_command archive_library archive_timeout archive_cleanup_command restore_command promote_trigger_file trigger_file standby_mode primary_conninfo primary_slot_name synchronous_standby_names synchronized_standby_slots sync_replication_slots summarize_wal hot_standby log_destination logging_collector log_directory log_filename log_file_mode log_rotation_age log_rotation_size log_truncate_on_rotation syslog_facility syslog_ident event_source stats_temp_directory huge_pages recovery_init_sync_method io_method max_logical_replication_workers restart_after_crash", names, " ")
      for (i in names) no[names[i]] = 1
      for (i = 1; i < ARGC; i++) read(ARGV[i], 0)
      printf "" >dropped
      for (name in gone) print name | ("sort >>\"" dropped "\"")
      exit
    }
    function read(file, depth,   line, name, value) {
      if (depth > 10) return
      while ((getline line <file) > 0) {
        sub(/^[ \t\r]+/, "", line); sub(/[ \t\r]+$/, "", line)
        if (line == "" || line ~ /^#/) continue
        if (!match(line, /^[A-Za-z_][A-Za-z0-9_.$]*/)) continue
        name = tolower(substr(line, 1, RLENGTH)); value = substr(line, RLENGTH + 1)
        sub(/^[ \t]*=?[ \t]*/, "", value)
        if (name == "include" || name == "include_if_exists") read(path(value, file), depth + 1)
        else if (name == "include_dir") read_folder(path(value, file), depth + 1)
        else if (name in no || name ~ /^ssl_/ || name ~ /^recovery_target/ || name == "recovery_end_command" || name == "recovery_min_apply_delay") gone[name] = 1
        else if (name ~ /_preload_libraries$/) keep_libraries(name, value)
        else print name " = " value
      }
      close(file)
    }
    function path(value, from,   folder) {
      sub(/^\047/, "", value); sub(/\047.*$/, "", value); sub(/[ \t]*#.*$/, "", value)
      if (value ~ /^\//) return value
      folder = from; sub(/\/[^\/]*$/, "", folder)
      return folder "/" value
    }
    function read_folder(folder, depth,   file, command, files, n, i) {
      command = "ls -1 \"" folder "\" 2>/dev/null"
      if (folder ~ /["$`\\]/) return
      while ((command | getline file) > 0) if (file ~ /\.conf$/ && file !~ /^\./) files[++n] = folder "/" file
      close(command)
      for (i = 1; i <= n; i++) read(files[i], depth)
    }
    function keep_libraries(name, value,   parts, n, i, kept, library) {
      sub(/^\047/, "", value); sub(/\047.*$/, "", value); sub(/[ \t]*#.*$/, "", value); gsub(/"/, "", value)
      n = split(value, parts, /[ \t]*,[ \t]*/)
      for (i = 1; i <= n; i++) {
        library = parts[i]; sub(/^\$libdir\//, "", library)
        if (library == "") continue
        if (present(library)) kept = kept (kept == "" ? "" : ",") library
        else gone[name ":" library] = 1
      }
      print name " = \047" kept "\047"
    }
    function present(library,   folders, n, i, line, file) {
      if (library !~ /^[A-Za-z0-9_.-]+$/ || library == "pg_cron") return 0
      n = split(libraries, folders, " ")
      for (i = 1; i <= n; i++) {
        file = folders[i] "/" library ".so"
        if ((getline line <file) >= 0) { close(file); return 1 }
      }
      return 0
    }
  ' "$@"
}

if [ "$(first_line "$PGDATA/vdb-content-id")" != "$mark" ]; then
  if [ "$(first_line "$inherited")" != "$mark" ]; then
    # A copy of another VDB brings what that one inherited; otherwise the source's own file is where it all begins.
    base=$PGDATA/postgresql.conf
    if [ -f "$inherited" ]; then base=$inherited; fi
    { printf '%s\n' "$mark"; filter "$base" "$PGDATA/postgresql.auto.conf"; } >"$VDB_RUN/inherited" ||
      fail ImageWithoutPostgres "the image has no awk, which reads the source's settings: set spec.image to an image that has it"
    keep "$inherited" <"$VDB_RUN/inherited"
  fi
  : >"$PGDATA/postgresql.auto.conf" # read last of all, it would beat the manifest's settings
  rm -f "$PGDATA/standby.signal" "$PGDATA/recovery.signal" "$PGDATA/recovery.conf" "$PGDATA/postmaster.pid"
  rm -rf "$PGDATA/pg_replslot/"* # a slot of the source would keep WAL for a consumer that never comes
  printf '%s\n' "$mark" >"$PGDATA/vdb-content-id"
fi

# --- How it runs here ------------------------------------------------------------------------------------------------------

wanted=$VDB_RUN/settings.wanted former=$VDB_RUN/settings.former refused=$VDB_RUN/settings.refused
proven=$PGDATA/vdb-proven-settings hba=$VDB_RUN/pg_hba.conf
# What the operator puts here it stores in the ConfigMap next, which reaches VDB_CONFIG up to a minute later: the newer one counts.
[ "$wanted" -nt "$VDB_CONFIG/settings.conf" ] || put "$wanted" <"$VDB_CONFIG/settings.conf"
# Without settings that it has started with, those that came with the data: the file is empty.
if [ "$(first_line "$proven")" = "$mark" ]; then sed 1d "$proven" | put "$former"; else put "$former" </dev/null; fi
shut_gate() { printf '%s\nlocal all all trust\nlocal replication all trust\n' "$mark" | put "$hba"; }
if [ "$VDB_MODE" = Preparing ]; then
  shut_gate
elif [ "$(first_line "$hba")" = "$mark" ] && [ "$hba" -nt "$VDB_CONFIG/pg_hba.conf" ]; then
  :
elif [ "$(first_line "$VDB_CONFIG/pg_hba.conf")" = "$mark" ]; then
  put "$hba" <"$VDB_CONFIG/pg_hba.conf"
else
  shut_gate # written for other data
fi
put "$VDB_RUN/pg_ident.conf" </dev/null
altered=$PGDATA/postgresql.auto.conf # by ALTER SYSTEM; emptied when the copy was new
if [ "$(first_line "$PGDATA/vdb-proven-auto")" = "$mark" ]; then sed 1d "$PGDATA/vdb-proven-auto"; fi | put "$VDB_RUN/altered"
rm -f "$altered.words"
rm -f "$VDB_RUN/reload-due" # all of them are about to be read

# The server's certificate, if the manifest names one. Without a usable one the server starts without TLS, and the operator says so.
if [ -n "${VDB_TLS:-}" ]; then sh "$VDB_CONFIG/tls.sh" start >"$VDB_RUN/tls.log" || echo "cannot read the certificate" >&2; fi

# Later lines beat earlier ones: the source's, the operator's, the manifest's, what the data cannot do without.
configure() { # lines between the source's settings and the manifest's
  {
    printf "include '%s'\n" "$inherited"
    printf '%s\n' "huge_pages = 'off'" "max_logical_replication_workers = '0'" "log_destination = 'stderr'" "logging_collector = 'off'"
    # A clone has thousands of files: syncing the file system once beats opening each of them.
    case $data_major in 9.* | 1[0-3]) ;; *) printf '%s\n' "recovery_init_sync_method = 'syncfs'" ;; esac
    printf '%s\n' "$1"
    printf "include '%s'\n" "$VDB_RUN/settings.conf" "$VDB_RUN/minimums.conf"
    if [ -n "${VDB_TLS:-}" ]; then printf "include_if_exists '%s'\n" "$VDB_RUN/tls.conf"; fi
  } | put "$VDB_RUN/postgresql.conf"
}

# What a standby must not get from any file, ALTER SYSTEM's included: it never connects to another server.
case $data_major in
9.* | 1[01]) signal=$PGDATA/recovery.conf follows='-c hot_standby=on' ;;
*) signal=$PGDATA/standby.signal follows='-c hot_standby=on -c primary_conninfo= -c primary_slot_name= -c restore_command=' ;;
esac
if [ "$VDB_MODE" != Standby ]; then follows=''; fi

serve() {
  # shellcheck disable=SC2086 # words
  exec postgres -D "$PGDATA" -c config_file="$VDB_RUN/postgresql.conf" -c hba_file="$hba" -c ident_file="$VDB_RUN/pg_ident.conf" \
    -c port="$PGPORT" -c listen_addresses='*' -c unix_socket_directories="$VDB_RUN" -c archive_mode=off $follows "$@"
}
ask() { (export LC_ALL=C && serve -c lc_messages=C -C "$1"); } # what a setting comes to
check() { blocks=$(ask shared_buffers 2>"$VDB_RUN/check"); }
# Settings of the source that the image's server does not know: of another build, or of a library that is left out.
drop_unknown() {
  unknown=$(sed -n 's/.*unrecognized configuration parameter "\(.*\)" in file ".*vdb-inherited\.conf" line \([0-9]*\).*/\2 \1/p' "$VDB_RUN/check")
  [ -n "$unknown" ] || return 1
  sed "$(printf '%s\n' "$unknown" | sed 's/ .*/d/')" "$inherited" >"$VDB_RUN/inherited" && keep "$inherited" <"$VDB_RUN/inherited" || exit 1
  printf '%s\n' "$unknown" | sed 's/^[0-9]* //' >>"$PGDATA/vdb-dropped-settings"
  sort -u -o "$PGDATA/vdb-dropped-settings" "$PGDATA/vdb-dropped-settings"
}
# PostgreSQL's own words for why it refuses, without times, process numbers and what does not tell the cause.
words_of() {
  awk '
    { sub(/ in file ".*" line [0-9]+/, "") }
    /configuration file ".*" contains errors/ { next }
    /FATAL:  the database system is / { fatal = 0; next } # told to whoever asks while it starts
    match($0, /(FATAL|PANIC):  */) { fatal = 1; cause = cause " " substr($0, RSTART + RLENGTH); next }
    sub(/^postgres: /, "") { fatal = 1; cause = cause " " $0; next }
    match($0, /(HINT|DETAIL):  */) { if (fatal) cause = cause " " substr($0, RSTART + RLENGTH); else said = said " " substr($0, RSTART + RLENGTH); next }
    match($0, /LOG:  */) { fatal = 0; said = said " " substr($0, RSTART + RLENGTH) }
    END { print substr(cause == "" ? said : cause, 2, 1500) }
  ' "$1"
}
blame() { # for what VDB_RUN/check says
  words=$(words_of "$VDB_RUN/check")
  if grep -q 'vdb-inherited\.conf"' "$VDB_RUN/check" && ! grep -q 'settings\.conf"' "$VDB_RUN/check"; then whose=source; fi
}

# The memory that this container may have, in kB: the least of what its cgroup and those around it allow, what the operator
# knows, and what the machine has. An admission webhook or a LimitRange may have set what no manifest says.
memory_kb() {
  memory=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
  at_most "$((${VDB_MEMORY_LIMIT_MB:-0} * 1048576))"
  limits "$VDB_CGROUPS" memory.max "$(own_cgroup '^$')"
  limits "$VDB_CGROUPS/unified" memory.max "$(own_cgroup '^$')"
  limits "$VDB_CGROUPS/memory" memory.limit_in_bytes "$(own_cgroup '(^|,)memory(,|$)')"
  echo "$memory"
}
at_most() { # bytes; "max" and 0 are none
  case $1 in '' | 0 | *[!0-9]*) ;; *) if [ "$(($1 / 1024))" -lt "$memory" ]; then memory=$(($1 / 1024)); fi ;; esac
}
own_cgroup() { # by its controllers
  awk -F: -v controllers="$1" '$2 ~ controllers { sub(/^[^:]*:[^:]*:/, ""); sub(/\/$/, ""); print; exit }' "$VDB_OWN_CGROUPS" 2>/dev/null
}
limits() { # the hierarchy's root, the file with the limit, the own cgroup
  folder=$1$3
  # The path may be the machine's, where only the own cgroup is to be seen.
  case $3 in *..*) folder=$1 ;; *) [ -d "$folder" ] || folder=$1 ;; esac
  at_most "$(sed -n 's/^hierarchical_memory_limit //p' "$folder/memory.stat" 2>/dev/null)"
  while at_most "$(cat "$folder/$2" 2>/dev/null)" && [ "$folder" != "$1" ]; do folder=${folder%/*}; done
}

# A server does not start on WAL segments of which min_wal_size and max_wal_size do not hold two. The source may have had them from
# its command line, or from a file outside of its data folder, and the defaults are too small for large segments.
wal_sizes() {
  segment_mb=0
  for file in "$PGDATA"/pg_wal/????????????????????????; do # each of them is as large as a segment
    if [ -f "$file" ]; then segment_mb=$(($(stat -c %s "$file") / 1048576)) && break; fi
  done
  [ "$segment_mb" -gt 16 ] || return 0
  for name in min_wal_size max_wal_size; do
    if [ "$(ask "$name" 2>/dev/null || echo 0)" -lt $((2 * segment_mb)) ]; then printf "%s = '%sMB'\n" "$name" $((2 * segment_mb)); fi
  done
}

# PostgreSQL refuses to start on prepared transactions that exceed its limits, and to follow other servers' WAL with less than
# they had. Crash recovery may meet prepared transactions in the WAL.
minimums() {
  control=$(LC_ALL=C "$folder/pg_controldata" "$PGDATA" 2>/dev/null) || return 0
  needed=
  case $control in *"cluster state: "*" shut down"*) ;; *) needed="max_prepared_transactions max_locks_per_transaction" ;; esac
  if [ -n "$(ls -A "$PGDATA/pg_twophase" 2>/dev/null)" ]; then needed="max_prepared_transactions max_locks_per_transaction max_connections"; fi
  if [ -f "$PGDATA/recovery.signal" ] || [ -f "$signal" ]; then
    needed="max_prepared_transactions max_locks_per_transaction max_connections max_worker_processes max_wal_senders"
  fi
  for name in $needed; do
    label=$(printf '%s' "$name" | sed 's/transaction/xact/')
    least=$(printf '%s\n' "$control" | sed -n "s/^$label setting: *//p")
    if [ "${least:-0}" -gt "$(ask "$name" 2>/dev/null || echo 0)" ]; then printf "%s = '%s'\n" "$name" "$least"; fi
  done | put "$VDB_RUN/minimums.conf"
}

# Makes the settings in the file those of the next start. Fails, with words in VDB_RUN/check, if PostgreSQL refuses to read them.
use() {
  put "$VDB_RUN/settings.conf" <"$1" && put "$VDB_RUN/settings.started" <"$1" && put "$VDB_RUN/minimums.conf" </dev/null && configure "" || exit 1
  check || { drop_unknown && check; } || return 1
  adapted=$(wal_sizes)
  # The source's machine may have had more memory than this pod: at most a quarter of what there is, unless the manifest says
  # otherwise. A line of the file, not an argument: the manifest's setting can so come and go while the server runs.
  most=$(($(memory_kb) / 4 / 8))
  if [ "$blocks" -gt "$most" ] && ! grep -qi '^shared_buffers ' "$1"; then adapted=$(printf "%s\nshared_buffers = '%s'" "$adapted" "$most"); fi
  [ -z "$adapted" ] || configure "$adapted" || exit 1
  minimums || exit 1
}

server='' stopping=''
# Told to the hooks that lose their sessions by it. SIGTERM alone would let PostgreSQL wait for its clients.
stop() {
  stopping=yes
  true >"$VDB_RUN/stopping" || true
  if [ -n "$server" ]; then kill -INT "$server" 2>/dev/null || true; else exit 143; fi
}
is_ready() {
  case $data_major in
  9.*) pg_isready -q -h "$VDB_RUN" ;;
  *)
    [ "$(first_line "$PGDATA/postmaster.pid")" = "$server" ] || return 1 # another server's, which was killed
    case $(sed -n '8s/ *$//p' "$PGDATA/postmaster.pid" 2>/dev/null) in ready | standby) ;; *) return 1 ;; esac
    ;;
  esac
}
# Starts the server with the settings in the file. 0: it is ready; otherwise it has ended before, `status` being its exit code,
# or nothing if it was not even started. With a second file, that gets what the server prints.
try() {
  status=''
  [ -z "$stopping" ] || exit 143
  use "$1" || return 1
  # Not `exec`: as process 1 PostgreSQL would inherit every orphan of the container, take one that ends with an error (a probe
  # that was cut off) for a crashed backend, and restart the whole database. This shell inherits and buries them instead.
  if [ $# = 1 ]; then serve & else serve -c lc_messages=C 2>"$2" & fi
  server=$! pause=0.1 looks=0
  while kill -0 "$server" 2>/dev/null; do
    if is_ready; then return 0; fi
    if [ -n "$stopping" ]; then kill -INT "$server" 2>/dev/null || true; fi # it may have come before the server heard signals
    looks=$((looks + 1))
    [ "$looks" -lt 100 ] || pause=1
    sleep "$pause" 9>&- &
    wait "$!" || true
  done
  status=0
  wait "$server" || status=$?
  server=''
  [ -z "$stopping" ] || exit "$status"
  return 1
}
finish() { # waits for the server's end
  while status=0; wait "$server" || status=$?; kill -0 "$server" 2>/dev/null; do :; done
}

control() { LC_ALL=C "$folder/pg_controldata" "$PGDATA" 2>/dev/null | sed -n "s/^$1: *//p"; }
# Transactions of a server that was killed would stay open in a standby for ever, with their locks; and one that wrote too little
# into its WAL cannot be followed. A server without any connection recovers first, and ends cleanly.
follow() {
  case $(control "Database cluster state")-$(control "wal_level setting") in
  *-minimal) recover ;;
  "shut down-"* | "shut down in recovery-"* | "in archive recovery-"*) ;;
  *) recover ;;
  esac
  case $signal in *.conf) echo "standby_mode = 'on'" ;; esac | keep "$signal"
}
recover() {
  rm -f "$signal"
  use "$former" || use "$wanted" || { status='' && give_up; }
  postgres --single -D "$PGDATA" -c config_file="$VDB_RUN/postgresql.conf" -c hba_file="$hba" -c archive_mode=off -c wal_level=replica \
    -c session_preload_libraries= -c local_preload_libraries= template1 </dev/null >/dev/null &
  server=$!
  finish
  server=''
  [ -z "$stopping" ] || exit 143
  [ "$(control "Database cluster state")" = "shut down" ] || exit "$status" # with PostgreSQL's words in the log
}
# pg_promote() would end the standby while the manifest still wants one: the file that it writes gets no place. A server removes
# the link when it starts; one of whose target nothing exists is no request to it.
hold_standby() { ln -s /dev/null/nowhere "$PGDATA/promote" 2>/dev/null || true; }

# Whether settings that no server has started with are tried for the third time in this pod, and no end of the others was seen:
# what takes the whole container along (too much memory) leaves no words.
lost_twice() {
  if ! cmp -s "$wanted" "$VDB_RUN/settings.trying"; then put "$VDB_RUN/settings.trying" <"$wanted" && rm -f "$VDB_RUN/tries"; fi
  printf . >>"$VDB_RUN/tries"
  [ "$(wc -c <"$VDB_RUN/tries")" -gt 2 ]
}
# Starts with the settings that are wanted, and says in `words` why it cannot. A second time for its words: while nothing is
# known against them, what the server prints goes straight to the container's log. What passes by itself is no refusal.
try_wanted() {
  if lost_twice; then words="the container ended twice while PostgreSQL started with these settings, and printed no error; it may lack memory" && return 1; fi
  if try "$wanted"; then return 0; fi
  if [ -z "$status" ]; then blame && return 1; fi
  if try "$wanted" "$VDB_RUN/start.log"; then
    kill -INT "$server" && finish
    if try "$wanted"; then return 0; fi
  fi
  words=$(words_of "$VDB_RUN/start.log")
  words=${words:-PostgreSQL ended with exit code $status before it was ready}
  return 1
}
# ALTER SYSTEM beats every manifest, and nobody can take it back in a database that does not start. What it has set since the
# last start that succeeded is set aside, beside the server's words, if the server does start without.
set_aside() {
  [ -n "$status" ] && ! cmp -s "$altered" "$VDB_RUN/altered" || return 1
  if [ -z "$words" ]; then ! try "$former" "$VDB_RUN/start.log" || { kill -INT "$server" && finish && return 1; }; fi
  words=${words:-$(words_of "$VDB_RUN/start.log")}
  keep "$altered.refused" <"$altered" && keep "$altered" <"$VDB_RUN/altered" || exit 1
  if try "$wanted" || try "$former"; then
    if cmp -s "$VDB_RUN/settings.started" "$wanted"; then rm -f "$refused"; fi
    echo "PostgreSQL does not start with the settings of ALTER SYSTEM, which are now in $altered.refused: $words" >&2
    printf '%s\n' "$words" | keep "$altered.words" || true
    return 0
  fi
  keep "$altered" <"$altered.refused" && rm -f "$altered.refused" || exit 1
  return 1
}
# Ends in `fail`, or with the server's exit code: no settings are to blame for what happens with those of before as well.
give_up() {
  rm -f "$refused" "$VDB_RUN/tries"
  [ -z "$status" ] || exit "$status"
  [ -n "$words" ] || blame
  if [ "$whose" = source ]; then
    fail SettingRefused "PostgreSQL refuses a setting that comes from the source: $words (set it in spec.postgresConfig, which wins over the source)"
  fi
  fail SettingRefused "PostgreSQL refuses its settings: $words (fix spec.postgresConfig)"
}

trap stop INT TERM
words='' whose=manifest
if [ "$VDB_MODE" = Standby ]; then follow; else rm -f "$signal"; fi
if cmp -s "$wanted" "$former" || cmp -s "$wanted" "$refused"; then
  try "$former" || set_aside || give_up
elif ! try_wanted; then
  echo "PostgreSQL does not start with the manifest's settings, so the start script uses the earlier ones: $words" >&2
  printf '%s\n' "$words" | put "$refused.words"
  put "$refused" <"$wanted" # seen by the operator, and by the next container of this pod
  try "$former" || set_aside || give_up
fi
if [ "$VDB_MODE" = Standby ]; then hold_standby; fi
rm -f "$VDB_RUN/settings.trying" "$VDB_RUN/tries"
{ printf '%s\n' "$mark" && cat "$altered"; } >"$VDB_RUN/proven"
cmp -s "$VDB_RUN/proven" "$PGDATA/vdb-proven-auto" || keep "$PGDATA/vdb-proven-auto" <"$VDB_RUN/proven" || true
{ printf '%s\n' "$mark" && cat "$VDB_RUN/settings.started"; } >"$VDB_RUN/proven"
cmp -s "$VDB_RUN/proven" "$proven" || keep "$proven" <"$VDB_RUN/proven" || echo "cannot record these settings as ones that the server starts with" >&2
exec 9>&- # the lock is the server's
finish
exit "$status"
