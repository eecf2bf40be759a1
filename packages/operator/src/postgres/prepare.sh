#!/bin/sh
# Brings a running server to what the manifest says, from inside its pod: settings, who may connect, the role's password.
# Arguments: the text of pg_hba.conf, the text of settings.conf, the role, the database. Standard input: what psql shall run
# afterwards; it finds the variables `role`, `database`, `reload` and `changed` (the settings, with commas, that the manifest
# has changed since the server was started). After a line `-- in each database` comes what psql shall run then in each database
# that the first text has printed after `in: `, with backslash, tab and line end escaped.
# Prints, before what the first text has printed, what each database has printed, after `inside: `, or why it takes no session of
# a superuser's, after `unseen: `, its escaped name and a tab; then, each line after `login: `, why the role could not open a
# session in the database as any client would. Exit code 10: the server refuses the settings, which stay as they were;
# 11: the statements did not arrive whole; 12: the server answers, but no superuser gets in: then the roles are printed, as far
# as they can be known, each after whether it is a superuser and may log in (`10 name`); other codes are psql's own.
set -u
hba=$1 settings=$2 role=$3 name=$4
input=$(cat)
case $input in *'-- end') ;; *) echo "the operator's statements arrived incomplete, so nothing has changed" >&2 && exit 11 ;; esac
inside=
case $input in *'-- in each database'*) inside=${input#*-- in each database} input=${input%%-- in each database*} ;; esac
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
# computes again what it needs.
changed=$(sort "$VDB_RUN/settings.conf" "$VDB_RUN/settings.started" 2>/dev/null | uniq -u | sed 's/ .*//' | sort -u)
for setting in $changed; do
  if grep -qi "^$setting " "$VDB_RUN/minimums.conf" 2>/dev/null; then
    put "$VDB_RUN/minimums.conf" "$(grep -vi "^$setting " "$VDB_RUN/minimums.conf")" || exit
  fi
done
changed=$(printf '%s\n' "$changed" | tr '\n' ,)
reload=0 noted=
if [ -f "$due" ]; then reload=1 noted=$(cat "$due"); fi

export PGHOST="$VDB_RUN" PGCONNECT_TIMEOUT=5 PGAPPNAME=delphix-operator PGCLIENTENCODING=UTF8
# What a client states beats what somebody has set for a role or a database: nothing of that may keep the operator out or change
# what its statements mean. With the second half superusers alone get in.
any='-c search_path=pg_catalog -c role=none -c local_preload_libraries= -c default_transaction_read_only=off -c default_transaction_deferrable=off -c default_transaction_isolation=read\ committed -c statement_timeout=20s -c lock_timeout=5s -c idle_in_transaction_session_timeout=0 -c standard_conforming_strings=on'
own="$any -c session_preload_libraries= -c lc_messages=C"
case $(cat "$PGDATA/PG_VERSION") in 9.* | 1[0-3]) ;; *) own="$own -c idle_session_timeout=0" ;; esac
case $(cat "$PGDATA/PG_VERSION") in 9.* | 1[0-6]) ;; *) own="$own -c transaction_timeout=0 -c event_triggers=off" ;; esac

# The roles as they lie in the data directory, where reading them needs no session: the rows of pg_authid at the last
# checkpoint. One that was dropped since may be among them, which does no harm here.
stored_roles() {
  node=$(od -An -v -tu4 "$PGDATA/global/pg_filenode.map" | awk '
    { for (i = 1; i <= NF; i++) v[n++] = $i }
    END { for (i = 2; i < n; i += 2) if (v[i] == 1260) { print v[i + 1]; exit } }')
  od -An -v -tu1 "$PGDATA/global/$node" | LC_ALL=C awk '
    function u16(at) { return b[at] + 256 * b[at + 1] }
    { for (i = 1; i <= NF; i++) b[n++] = $i }
    END {
      for (page = 0; page + 8192 <= n; page += 8192)
        for (item = page + 24; item < page + u16(page + 12); item += 4) {
          if (int(u16(item) / 32768) + 2 * (b[item + 2] % 2) != 1) continue # not in use
          row = page + u16(item) % 32768
          replaced = b[row + 4] + b[row + 5] + b[row + 6] + b[row + 7] > 0 && int(u16(row + 20) / 2048) % 2 == 0 && int(b[row + 20] / 128) == 0
          row += b[row + 22]
          oid = u16(row) + 65536 * u16(row + 2)
          if (replaced && oid in role) continue
          name = ""
          for (i = row + 4; i < row + 68 && b[i] > 0; i++) name = name sprintf("%c", b[i])
          role[oid] = b[row + 68] b[row + 72] " " name
        }
      for (oid in role) print oid " " role[oid]
    }' | sort -n | cut -d ' ' -f 2-
}
# The same from a session of any role that gets one.
told_roles() {
  for user in "$role" postgres $(printf '%s\n' "$known" | sed -n 's/^.1 //p' | head -n 5); do
    for PGDATABASE in postgres "$name"; do
      PGOPTIONS=$any psql -XAtqw -U "$user" -c "SELECT rolsuper::int || rolcanlogin::int::text || ' ' || rolname FROM pg_roles ORDER BY oid" && return
    done
  done
}
superusers() { printf '%s\n' "$known" | sed -n 's/^11 //p' | head -n 20; }
# Lines are names: they are split at nothing else.
set -f
IFS='
'
# The statements, as the first of the roles (a line each) that is a superuser and gets in. Nobody else gets an answer.
ask_as() {
  for user in $1; do
    for PGDATABASE in postgres template1 "$name"; do
      answer=$(printf '%s\n' "$input" | PGOPTIONS=$own psql -XAtqw -U "$user" -v ON_ERROR_STOP=1 -v role="$role" \
        -v database="$name" -v reload="$reload" -v changed="$changed" -f - 2>>"$VDB_RUN/said")
      code=$?
      if [ "$code" -ne 2 ] && [ "$code$answer" != 0 ]; then return; fi # 2: could not connect
    done
  done
  code=2
}
# The second text, as the superuser that the first one has run as. Where not even that one gets a session, nobody does.
look_inside() {
  for escaped in $(printf '%s\n' "$answer" | sed -n 's/^in: //p'); do
    PGDATABASE=$(printf '%b.' "$escaped") && PGDATABASE=${PGDATABASE%.}
    told=$(printf '%s\n' "$inside" | PGOPTIONS=$own psql -XAtqw -U "$user" -v ON_ERROR_STOP=1 -f - 2>"$VDB_RUN/inside")
    code=$?
    case $code in
    0) [ -z "$told" ] || found="${found}inside: $told
" ;;
    2) code=0 found="${found}unseen: $escaped	$(tr '\n' ' ' <"$VDB_RUN/inside")
" ;;
    *) printf 'in database %s: %s\n' "$PGDATABASE" "$(cat "$VDB_RUN/inside")" >>"$VDB_RUN/said" && return ;;
    esac
  done
}
export PGDATABASE
found=
: >"$VDB_RUN/said"
known=$(stored_roles 2>/dev/null)
code=2
ask_as "$(superusers)"
if [ "$code" = 2 ]; then
  told=$(told_roles 2>/dev/null) && known=$told
  ask_as "$(superusers)
postgres
$role"
fi
if [ "$code" = 0 ] && [ -n "$inside" ]; then look_inside; fi
if [ "$code" != 0 ]; then cat "$VDB_RUN/said" >&2; fi
if [ "$code" = 2 ] && pg_isready -q; then code=12 answer=$known; fi
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
printf '%s%s\n' "$found" "$answer" | sed '/^in: /d'
if [ "$code" = 0 ]; then
  # After the settings were read, which are in force for new sessions only.
  login=$(unset PGOPTIONS PGCLIENTENCODING && PGDATABASE=$name timeout 10 psql -XAtqw -U "$role" -c 'SELECT 1' 2>&1 >/dev/null) ||
    printf '%s\n' "${login:-no answer within 10 s}" | sed 's/^/login: /'
fi
exit "$code"
