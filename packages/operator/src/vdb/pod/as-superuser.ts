/**
 * A shell script for the database's container: one statement, without quotes, as the first superuser that gets in, whatever is set
 * for roles and databases. On the local socket everybody is trusted.
 */
export const asSuperuser = (statement: string): string => `export PGHOST="$VDB_RUN" PGCONNECT_TIMEOUT=5 PGAPPNAME=delphix-operator
roles=$(psql -XAtqw -c 'SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid' 2>/dev/null)
export PGOPTIONS='-c role=none -c session_preload_libraries= -c local_preload_libraries= -c statement_timeout=0'
IFS='
'
for name in postgres "$PGDATABASE" template1; do
  for role in $roles postgres "$PGUSER"; do
    said=$(PGDATABASE=$name psql -XAtqw -U "$role" -c '${statement}' 2>&1) && printf '%s' "$said" && exit 0
  done
done
printf '%s' "$said" >&2
exit 1`;
