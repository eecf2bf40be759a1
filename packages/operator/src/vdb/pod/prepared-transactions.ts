import type { PreparedTransaction } from "../../postgres/prepare.ts";

/**
 * The message about prepared transactions that came with the copy, with what to do; undefined without any. The operator does
 * not end them: until a person does, they hold their locks and keep VACUUM from cleaning up.
 */
export function preparedTransactionsNote(transactions: readonly PreparedTransaction[]): string | undefined {
  if (transactions.length === 0) return undefined;
  const list = transactions.map(
    ({ gid, owner, database, since }) => `'${gid.replaceAll("'", "''")}' (of ${owner} in database ${database}, since ${since})`,
  );
  return `prepared transactions came with the copy and keep their locks: ${list.join(", ")}; end each in its database with COMMIT PREPARED or ROLLBACK PREPARED`;
}
