import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { becauseOf, hasEnded, hear, newStandby } from "./standby.ts";

const connection = { host: "db", port: 5432, user: "link", sslmode: "prefer" };
const standby = () => newStandby({ id: "1", name: "orders", connection });

test("a server that ends at once again and again is given up, with its last words; one that ran for a while is not", () => {
  const one = standby();
  for (let i = 0; i < 4; i += 1) hasEnded(one, "FATAL: no such library", 1_000);
  equal(one.lost, undefined);
  hasEnded(one, "FATAL: no such library", 1_000);
  match(becauseOf(one) ?? "", /ends again and again: FATAL: no such library; the next snapshot copies the source/u);

  const killed = standby();
  for (let i = 0; i < 20; i += 1) hasEnded(killed, "", i * 100_000 + 100_000);
  equal(killed.lost, undefined, "killed by hand twenty times");
  const full = standby();
  for (let i = 0; i < 20; i += 1) hasEnded(full, "PANIC: could not write: No space left on device", 1_000);
  equal(full.lost, undefined, "a full disk says nothing about the standby");
});

test("the first cause of a loss stays, and what streams again has no trouble", () => {
  const one = standby();
  hear(one, { kind: "trouble", because: "connection refused" });
  deepEqual([one.isStreaming, becauseOf(one)], [false, "connection refused"]);
  hear(one, { kind: "streaming", position: 1n, timeline: 1 });
  deepEqual([one.isStreaming, becauseOf(one)], [true, undefined]);
  hear(one, { kind: "lost", because: "the source was restored" });
  hear(one, { kind: "lost", because: "something else" });
  match(becauseOf(one) ?? "", /^the source was restored; the next snapshot/u);
});
