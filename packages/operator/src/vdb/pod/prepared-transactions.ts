import type { PreparedTransaction } from "../../postgres/prepare.ts";

/**
 * What to say of the prepared transactions that came with the copy, with what to do; undefined without any. Nobody here will
 * end them: they hold their locks, and keep VACUUM from cleaning up, until somebody does.
 */
export function preparedTransactionsNote(transactions: readonly PreparedTransaction[]): string | undefined {
  if (transactions.length === 0) return undefined;
  const list = transactions.map(
    ({ gid, owner, database, since }) => `'${gid.replaceAll("'", "''")}' (of ${owner} in database ${database}, since ${since})`,
  );
  return `prepared transactions came with the copy and keep their locks: ${list.join(", ")}; end each in its database with COMMIT PREPARED or ROLLBACK PREPARED`;
}
