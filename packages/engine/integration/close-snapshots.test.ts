/** Snapshots of a streamed source that lie closer together than its checkpoints. */
import { equal, ok } from "node:assert/strict";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { usedPoolBytes } from "./testing/engine.ts";
import { contentOf } from "./testing/postgres.ts";
import { type Streamed, startStreamed } from "./testing/streamed.ts";

const [mib, count] = [2 ** 20, 4];
const inMiB = (bytes: number): string => `${(bytes / mib).toFixed(1)} MiB`;

describe("a streamed source that makes no checkpoint by itself", { timeout: 600_000 }, () => {
  let link: Streamed;
  before(async () => {
    link = await startStreamed(["checkpoint_timeout=1h", "max_wal_size=4GB", "autovacuum=off", "log_checkpoints=on"]);
  });
  after(() => link[Symbol.asyncDispose]());

  const checkpoints = (): number => link.source.log().split("checkpoint starting:").length - 1;

  test("is asked for one when the next snapshot would take as much as the one before: what has changed is in the pool once", async (t) => {
    await link.streams();
    const [copies, usedBefore] = [link.copies(), usedPoolBytes(link.scratch)];
    const muchBytes = link.writeMuch("much");
    const taken = [];
    for (let nth = 0; nth < count; nth += 1) {
      link.changed(nth);
      const content = contentOf(link.source);
      const [used, asked, fromMs] = [usedPoolBytes(link.scratch), checkpoints(), Date.now()];
      const snapshot = await link.synced();
      const [ms, grown] = [Date.now() - fromMs, usedPoolBytes(link.scratch) - used];
      taken.push({ snapshot, content, ms, grown, asked: checkpoints() - asked });
    }
    const all = usedPoolBytes(link.scratch) - usedBefore;
    t.diagnostic(`${inMiB(muchBytes)} were written once, and the pool has grown by ${inMiB(all)}`);
    for (const { ms, grown, asked } of taken) t.diagnostic(`a snapshot: ${ms} ms, ${inMiB(grown)}, ${asked} checkpoints`);
    equal(taken.map(({ asked }) => asked).join(" "), "1 0 0 0", "one, and none where little was written since");
    for (const { grown } of taken.slice(1)) ok(grown < 6 * mib, `${grown} bytes`);
    ok(all < 1.5 * muchBytes + count * 6 * mib, `${all} bytes`);
    equal(link.copies(), copies);
    for (const { snapshot, content } of taken) await link.holds(snapshot, content);
  });

  test("keeps what the standby has yet to receive when it makes one", async () => {
    await link.streams();
    await link.synced();
    const copies = link.copies();
    const made = (): number => link.source.log().split("checkpoint complete:").length;
    const sender = Number(link.source.sql("SELECT pid FROM pg_stat_replication WHERE state = 'streaming'"));
    process.kill(sender, "SIGSTOP");
    const taken = (async () => {
      link.writeMuch("late");
      return { content: contentOf(link.source), snapshot: await link.synced() };
    })();
    const former = made();
    await link.seen("the source makes a checkpoint", () => made() > former).finally(() => process.kill(sender, "SIGCONT"));
    const { snapshot, content } = await taken;
    await link.holds(snapshot, content);
    equal(link.copies(), copies);
  });
});
