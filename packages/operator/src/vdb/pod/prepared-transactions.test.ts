import { equal } from "node:assert/strict";
import { test } from "node:test";
import { preparedTransactionsNote } from "./prepared-transactions.ts";

test("prepared transactions are told as SQL names them, with whose they are and what to do", () => {
  const transactions = [
    { gid: "it's one", owner: "app", database: "orders", since: "2026-01-01T00:00:00Z" },
    { gid: "two", owner: "postgres", database: "postgres", since: "2026-01-02T00:00:00Z" },
  ];
  equal(
    preparedTransactionsNote(transactions),
    "prepared transactions came with the copy and keep their locks: 'it''s one' (of app in database orders, since 2026-01-01T00:00:00Z), 'two' (of postgres in database postgres, since 2026-01-02T00:00:00Z); end each in its database with COMMIT PREPARED or ROLLBACK PREPARED",
  );
  equal(preparedTransactionsNote([]), undefined);
});
