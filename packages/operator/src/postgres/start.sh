#!/bin/sh
# Makes a copy of somebody's data directory fit to run as a database of its own, then runs PostgreSQL.
#
# Guarantees: never makes a database (no initdb), never changes an owner, ends in a reason and a message for people when it
# cannot start. What is done to the data is done once per content id, can be interrupted anywhere, and is told in
# $PGDATA/vdb-dropped-settings.
#
# From the pod: PGDATA, PGPORT, VDB_MOUNT (the folder of PGDATA), VDB_CONTENT_ID, VDB_MEMORY_LIMIT_MB (0: none). VDB_CONFIG
# holds pg_hba.conf and settings.conf; VDB_RUN is writable.
set -eu
umask 077
trap 'exit 143' TERM INT # as process 1 this shell would ignore them, and a deleted pod would linger for its grace period

: "${VDB_CONFIG:=/etc/vdb}" "${VDB_RUN:=/var/run/postgresql}" "${VDB_TERMINATION_LOG:=/dev/termination-log}"

fail() { # reason, message
  printf 'vdb:%s: %s\n' "$1" "$2" >"$VDB_TERMINATION_LOG" || :
  printf 'vdb:%s: %s\n' "$1" "$2" >&2
  exit 1
}
listing() { # of a folder, in one line
  found=$(ls -A "$1" 2>&1 | head -n 8 | tr '\n' ' ')
  printf '%s' "${found:-nothing}"
}

# What ran in this pod's former container has ended with it, whoever has its process number now.
rm -f "$VDB_RUN/stopping"
for token in "$VDB_RUN"/hooks/*; do
  if [ -d "$token" ] && [ ! -f "$token/exit" ]; then : >"$token/interrupted"; fi
done

# --- Is this a database, ours to run? -------------------------------------------------------------------------------------

[ -d "$VDB_MOUNT" ] || fail NotADatabase "there is no folder $VDB_MOUNT in the pod: the volume is not mounted"
[ -d "$PGDATA" ] || fail NotADatabase "the volume holds no folder ${PGDATA##*/} with a PG_VERSION; found in $VDB_MOUNT: $(listing "$VDB_MOUNT")"
owner=$(stat -c %u:%g "$PGDATA")
[ "${owner%:*}" = "$(id -u)" ] || fail OwnerMismatch \
  "$PGDATA belongs to $owner, but PostgreSQL runs as $(id -u):$(id -g): set spec.ownershipSpec to the data's owner, or change the data's owner"
[ -s "$PGDATA/PG_VERSION" ] || fail NotADatabase "$PGDATA has no PG_VERSION, so it is no data directory of PostgreSQL; found in it: $(listing "$PGDATA")"
[ -s "$PGDATA/global/pg_control" ] || fail NotADatabase "$PGDATA has a PG_VERSION but no global/pg_control: the data directory is not whole"
data_major=$(cat "$PGDATA/PG_VERSION")

command -v postgres >/dev/null 2>&1 || PATH=$PATH:/usr/lib/postgresql/$data_major/bin:/usr/local/bin
server=$(command -v postgres) || fail ImageWithoutPostgres "the image has no program named postgres: set spec.image to one of PostgreSQL $data_major"
image_version=$(postgres -V | sed 's/^[^0-9]*//; s/ .*//')
image_major=${image_version%%[!0-9]*}
case $data_major in 9.*) image_major=$(printf '%s' "$image_version" | cut -d. -f1,2) ;; esac
[ "$data_major" = "$image_major" ] || fail MajorMismatch \
  "the data is of PostgreSQL $data_major, but the image has PostgreSQL $image_version: set spec.image to one of PostgreSQL $data_major (the data was not touched)"

# A deleted pod's successor is started while the former one still shuts down. PostgreSQL would not notice: both are process 1,
# each in its own container. The lock is held until the last process of the server has ended.
exec 9>>"$PGDATA/vdb.lock"
if ! command -v flock >/dev/null 2>&1; then
  echo "the image has no flock: two pods on the same volume are not kept apart" >&2
else
  # Beside the shell, which would not hear of its own end while it waits for a program.
  flock -n 9 || { echo "another pod's PostgreSQL still runs on this data: waiting for its end" >&2 && flock 9 & wait "$!"; }
  # Left by a server that was killed; its process number may by now be that of a probe in this container.
  rm -f "$PGDATA/postmaster.pid"
fi

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
      split("data_directory config_file hba_file ident_file external_pid_file listen_addresses port unix_socket_directories unix_socket_directory unix_socket_group unix_socket_permissions bonjour bonjour_name ssl krb_server_keyfile archive_mode archive_command archive_library archive_timeout archive_cleanup_command restore_command promote_trigger_file trigger_file standby_mode primary_conninfo primary_slot_name synchronous_standby_names synchronized_standby_slots sync_replication_slots summarize_wal hot_standby log_destination logging_collector log_directory log_filename log_file_mode log_rotation_age log_rotation_size log_truncate_on_rotation syslog_facility syslog_ident event_source stats_temp_directory huge_pages recovery_init_sync_method max_logical_replication_workers restart_after_crash", names, " ")
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
      fail ImageWithoutPostgres "the image has no awk, which reads the source's settings: set spec.image to one that has"
    dd if="$VDB_RUN/inherited" of="$inherited.new" conv=fsync 2>/dev/null
    mv "$inherited.new" "$inherited"
  fi
  : >"$PGDATA/postgresql.auto.conf" # read last of all, it would beat the manifest's settings
  rm -f "$PGDATA/standby.signal" "$PGDATA/recovery.signal" "$PGDATA/recovery.conf" "$PGDATA/postmaster.pid"
  rm -rf "$PGDATA/pg_replslot/"* # a slot of the source would keep WAL for a consumer that never comes
  printf '%s\n' "$mark" >"$PGDATA/vdb-content-id"
fi

# --- How it runs here ------------------------------------------------------------------------------------------------------

cp "$VDB_CONFIG/settings.conf" "$VDB_RUN/settings.conf"
cp "$VDB_RUN/settings.conf" "$VDB_RUN/settings.started" # what differs from it later may need a restart
if [ "$(first_line "$VDB_CONFIG/pg_hba.conf")" = "$mark" ]; then
  cp "$VDB_CONFIG/pg_hba.conf" "$VDB_RUN/pg_hba.conf"
else
  printf '%s\nlocal all all trust\nlocal replication all trust\n' "$mark" >"$VDB_RUN/pg_hba.conf" # written for other data: the gate stays shut
fi
: >"$VDB_RUN/pg_ident.conf"
rm -f "$VDB_RUN/reload-due" # all of them are about to be read

# Later lines beat earlier ones: the source's, the operator's, the manifest's.
wal_sizes=
configure() { # a line between the source's settings and the manifest's
  {
    printf "include '%s'\n" "$inherited"
    printf '%s\n' "huge_pages = 'try'" "max_logical_replication_workers = '0'" "log_destination = 'stderr'" "logging_collector = 'off'"
    # A clone has thousands of files: syncing the file system once beats opening each of them.
    case $data_major in 9.* | 1[0-3]) ;; *) printf '%s\n' "recovery_init_sync_method = 'syncfs'" ;; esac
    printf '%s\n' "$1" "$wal_sizes"
    printf "include '%s'\n" "$VDB_RUN/settings.conf"
  } >"$VDB_RUN/postgresql.conf"
}
configure ""

set -- -D "$PGDATA" -c config_file="$VDB_RUN/postgresql.conf" -c hba_file="$VDB_RUN/pg_hba.conf" -c ident_file="$VDB_RUN/pg_ident.conf" \
  -c port="$PGPORT" -c listen_addresses='*' -c unix_socket_directories="$VDB_RUN" -c archive_mode=off

check() { blocks=$(LC_ALL=C postgres -C shared_buffers "$@" 2>"$VDB_RUN/check"); }
# Settings of the source that the image's server does not know: of another build, or of a library that is left out.
drop_unknown() {
  unknown=$(sed -n 's/.*unrecognized configuration parameter "\(.*\)" in file ".*vdb-inherited\.conf" line \([0-9]*\).*/\2 \1/p' "$VDB_RUN/check")
  [ -n "$unknown" ] || return 1
  sed "$(printf '%s\n' "$unknown" | sed 's/ .*/d/')" "$inherited" >"$VDB_RUN/inherited"
  dd if="$VDB_RUN/inherited" of="$inherited.new" conv=fsync 2>/dev/null
  mv "$inherited.new" "$inherited"
  printf '%s\n' "$unknown" | sed 's/^[0-9]* //' >>"$PGDATA/vdb-dropped-settings"
  sort -u -o "$PGDATA/vdb-dropped-settings" "$PGDATA/vdb-dropped-settings"
}
refuse_settings() {
  words=$(sed 's/^.*LOG:  //; s/ in file ".*" line [0-9]*//; /FATAL:/d' "$VDB_RUN/check" | tr '\n' ' ' | cut -c 1-1500)
  if grep -q 'vdb-inherited\.conf"' "$VDB_RUN/check" && ! grep -q 'settings\.conf"' "$VDB_RUN/check"; then
    fail SettingRefused "PostgreSQL refuses a setting that comes from the source: ${words}(set it in spec.postgresConfig, which beats the source's)"
  fi
  fail SettingRefused "PostgreSQL refuses its settings: ${words}(correct spec.postgresConfig)"
}
check "$@" || { drop_unknown && check "$@"; } || refuse_settings

# A server does not start on WAL segments of which min_wal_size and max_wal_size do not hold two. The source may have had them from
# its command line, or from a file outside of its data folder, and the defaults are too small for large segments.
segment_mb=0
for file in "$PGDATA"/pg_wal/????????????????????????; do # each of them is as large as a segment
  if [ -f "$file" ]; then segment_mb=$(($(stat -c %s "$file") / 1048576)) && break; fi
done
if [ "$segment_mb" -gt 16 ]; then
  for name in min_wal_size max_wal_size; do
    megabytes=$(LC_ALL=C postgres -C "$name" "$@" 2>/dev/null) || megabytes=0
    if [ "$megabytes" -lt $((2 * segment_mb)) ]; then
      wal_sizes=$(printf '%s\n%s' "$wal_sizes" "$name = '$((2 * segment_mb))MB'")
    fi
  done
  configure ""
fi

# The source's machine may have had more memory than this pod: at most a quarter of what there is, unless the manifest says
# otherwise. A line of the file, not an argument: the manifest's setting can so come and go while the server runs.
if ! grep -qi '^shared_buffers ' "$VDB_RUN/settings.conf"; then
  total_kb=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
  if [ "${VDB_MEMORY_LIMIT_MB:-0}" -gt 0 ]; then total_kb=$((VDB_MEMORY_LIMIT_MB * 1024)); fi
  if [ "$blocks" -gt $((total_kb / 4 / 8)) ]; then configure "shared_buffers = '$((total_kb / 4 / 8))'"; fi
fi

# Not `exec`: as process 1 PostgreSQL would inherit every orphan of the container, take one that ends with an error (a probe
# that was cut off) for a crashed backend, and restart the whole database. This shell inherits and buries them instead.
postgres "$@" &
server=$!
# Told to the hooks that lose their sessions by it. SIGTERM alone would let PostgreSQL wait for its clients.
trap ': >"$VDB_RUN/stopping"; kill -INT "$server" 2>/dev/null || :' INT TERM
exec 9>&- # the lock is the server's
while status=0; wait "$server" || status=$?; kill -0 "$server" 2>/dev/null; do :; done
exit "$status"
