import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { becauseOf, hasAll, hasEnded, hear, newStandby, verify } from "./standby.ts";
import type { StandbyServer } from "./standby-server.ts";

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

const known = { timeline: 1, end: 100n };
const serverAt = (received: bigint, isSame: () => boolean): StandbyServer => ({
  ended: new Promise(() => undefined),
  received: () => received,
  timeline: () => 1,
  progress: () => "",
  newBytes: () => 0,
  known: { ...known, isSame: async () => isSame() },
  isConsistent: () => true,
  hasReplayed: () => true,
  paused: (work) => work(),
  stop: async () => undefined,
});

test("no snapshot is taken before all that was known has come again, and is the same", async () => {
  const rows: readonly (readonly [received: bigint, same: boolean, has: boolean, lost: boolean, why: string])[] = [
    [99n, true, false, false, "the rest may be another history"],
    [100n, true, true, false, "it is the same"],
    [100n, false, false, true, "the source was put back"],
    [99n, false, false, true, "that what has come differs is enough"],
  ];
  for (const [received, same, has, lost, why] of rows) {
    const one = { ...standby(), server: serverAt(received, () => same) };
    await verify(one);
    deepEqual([hasAll(one, { timeline: 1, position: 50n }), one.lost !== undefined], [has, lost], why);
  }
});

test("a receiver that is sent away is a reason to look at once at what it has written, however far it was seen", async () => {
  let [same, looks] = [true, 0];
  const isSame = (): boolean => {
    looks += 1;
    return same;
  };
  const one = { ...standby(), server: serverAt(10n, isSame) };
  await verify(one);
  await verify(one);
  equal(looks, 1, "a segment is not read again and again while it comes");
  same = false;
  hear(one, { kind: "dismissal" });
  await verify(one);
  match(becauseOf(one) ?? "", /^the source was put back to an earlier state, and has gone another way since; the next snapshot/u);
});
