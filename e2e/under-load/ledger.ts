/** pgbench on a database, and beside it a ledger that tells which of its transactions were committed where in its WAL. */
import type { Kubectl } from "@vdb/cluster";

/** What the balances of pgbench's tables sum up to, as `a|b|c|d`: in any one moment all four are equal. */
export const sums = `SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
  (SELECT sum(bbalance) FROM pgbench_branches), coalesce((SELECT sum(delta) FROM pgbench_history), 0)`;

export const ledgerTables =
  "CREATE TABLE ledger (n bigserial, began pg_lsn, at timestamptz); CREATE TABLE committed (n bigint, lsn pg_lsn)";

/** One transaction, which knows where the WAL was before it; and then where the WAL was after it. */
const ledger = String.raw`
INSERT INTO ledger (began, at) SELECT pg_current_wal_insert_lsn(), clock_timestamp() RETURNING n \gset
INSERT INTO committed VALUES (:n, pg_current_wal_lsn());
`;

export const listed = (where: string): string => `SELECT string_agg(n::text, ' ' ORDER BY n) FROM ${where}`;
export const numbers = (list: string): ReadonlySet<number> => new Set(list === "" ? [] : list.split(" ").map(Number));
/** Those of the one that the other has not. */
export const lacking = (wanted: ReadonlySet<number>, found: ReadonlySet<number>): readonly number[] =>
  [...wanted].filter((n) => !found.has(n));

/** Runs until it is stopped: four transactions of pgbench to one of the ledger, at most `rate` of them a second. */
export async function pgbenchWithLedger(
  kubectl: Kubectl,
  { pod, namespace, rate }: { readonly pod: string; readonly namespace: string; readonly rate?: number },
  signal: AbortSignal,
): Promise<void> {
  const limit = rate === undefined ? [] : ["-R", String(rate)];
  const pgbench = [
    "pgbench",
    "-n",
    "-c",
    "4",
    "-T",
    "3600",
    ...limit,
    "-b",
    "tpcb-like@4",
    "-f",
    "-@1",
    "-U",
    "postgres",
    "postgres",
  ];
  const { stderr } = await kubectl.try(["exec", "-i", "-n", namespace, pod, "--", ...pgbench], { input: ledger, signal });
  if (!signal.aborted) console.log(`pgbench has ended: ${stderr}`);
}
