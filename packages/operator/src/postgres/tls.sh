#!/bin/sh
# Puts the certificate of the mounted Secret in force, in a running server by a reload. Argument `start`: no server runs yet.
# The first line that it prints is `inForce`, `missing` or `refused`, with words for people after a space; one with `former` says
# that an earlier certificate stays in force. Then comes the certificate that is in force. Never prints a key.
#
# PostgreSQL takes no key that others may read, so not the mounted one. The copy lies in memory as the mounted one does, never
# on the volume, whose copies would contain it. Each pair has a folder of its own, and one rename changes from one to the other.
set -u
umask 077
: "${VDB_SHM:=/dev/shm}"
folder=$VDB_SHM/vdb-tls conf=$VDB_RUN/tls.conf
mkdir -p "$folder"
command -v postgres >/dev/null 2>&1 || PATH=$PATH:/usr/lib/postgresql/$(cat "$PGDATA/PG_VERSION")/bin:/usr/local/bin

serving=$(sed -n "s|^ssl_cert_file = '\(.*\)/tls\.crt'\$|\1|p" "$conf" 2>/dev/null)
[ -n "$serving" ] && [ -f "$serving/tls.crt" ] && [ -f "$serving/tls.key" ] || { serving='' && rm -f "$conf"; }
answer() { # kind, words
  printf '%s %s\n' "$1" "$2"
  if [ -n "$serving" ]; then
    [ "$1" = inForce ] || echo former
    cat "$serving/tls.crt"
  fi
  exit 0
}

# The kubelet changes all files of the Secret at once, by one link: both are read from the same version.
mounted=$(readlink -f "$VDB_TLS/..data" 2>/dev/null) && [ -d "$mounted" ] || mounted=$VDB_TLS
absent=
for file in tls.crt tls.key; do [ -s "$mounted/$file" ] || absent="$absent $file"; done
[ -z "$absent" ] || answer missing "$absent"
new=$folder/new
rm -rf "$new" && mkdir "$new" && cp "$mounted/tls.crt" "$mounted/tls.key" "$new/" && chmod 0600 "$new/tls.key" ||
  answer missing " the files cannot be read"
pair=$folder/$(cat "$new/tls.crt" "$new/tls.key" | cksum | tr ' ' -)
[ "$pair" != "$serving" ] || answer inForce ""
[ ! -f "$pair.words" ] || answer refused "$(cat "$pair.words")" # it was tried before

# Since version 15 PostgreSQL tells whether it can serve with the pair, about a data directory that no server holds. Before, a
# client can tell that certificate and key go together; it reads its own only when a server with TLS answers.
check() {
  case $(cat "$PGDATA/PG_VERSION") in 9.* | 1[0-4]) check_as_client; return ;; esac
  trial=$folder/trial
  rm -rf "$trial" && mkdir "$trial" && ln -s "$PGDATA"/* "$trial/" && rm -f "$trial"/postmaster.* && : >"$folder/empty.conf" || return 0
  postgres -D "$trial" -c config_file="$folder/empty.conf" -c hba_file="$folder/empty.conf" -c ident_file="$folder/empty.conf" \
    -c lc_messages=C -c ssl=on -c ssl_cert_file="$new/tls.crt" -c ssl_key_file="$new/tls.key" -C shared_memory_size >/dev/null 2>"$folder/said"
}
check_as_client() {
  [ -n "$serving" ] || return 0
  psql "host=localhost user=nobody dbname=postgres connect_timeout=5 sslmode=require sslcert=$new/tls.crt sslkey=$new/tls.key" -Xc '' 2>&1 |
    sed -n '/certificate file\|private key file/s/^.*failed: */FATAL:  /p' >"$folder/said"
  [ ! -s "$folder/said" ]
}
if ! check; then
  # Without times, process numbers and folders of the pod.
  words=$(sed -n 's/^.*\(FATAL\|ERROR\|HINT\|DETAIL\):  *//p' "$folder/said" | sed "s|$new/||g" | tr '\n' ' ' | cut -c 1-1000)
  printf '%s' "${words:-$(tail -n 3 "$folder/said" | tr '\n' ' ')}" >"$pair.words"
  answer refused "$(cat "$pair.words")"
fi
[ -d "$pair" ] || mv "$new" "$pair" || answer missing " the files cannot be copied"
printf "%s\n" "ssl = 'on'" "ssl_cert_file = '$pair/tls.crt'" "ssl_key_file = '$pair/tls.key'" >"$conf.new" && mv -f "$conf.new" "$conf" || exit
serving=$pair
for old in "$folder"/*; do [ "$old" = "$pair" ] || rm -rf "$old"; done
if [ "${1:-}" != start ]; then kill -HUP "$(head -n 1 "$PGDATA/postmaster.pid")" || exit; fi
answer inForce ""
