/** What was accepted is carried out: whatever is asked of its sources meanwhile is refused by name, or comes after it. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type DctClient, DctError, eq, type Snapshot } from "@vdb/dct";
import {
  callByHand,
  declared,
  type EngineProcess,
  firstSnapshot,
  inPool,
  jobEnd,
  provisioned,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

type Started = Promise<{ readonly jobId: string }>;

/** The words of a 409. */
async function conflictOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof DctError && error.kind === "conflict") return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("accepted work", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let snapshot: Snapshot;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    await using engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } });
    snapshot = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  const dSourceId = (): string => snapshot.dataset_id ?? "";
  /** By hand: the client cannot force, because nothing of the project does. */
  async function forceDelete(engine: EngineProcess): Promise<unknown> {
    const body = { dsource_id: dSourceId(), force: true };
    const answer = await callByHand(engine, scratch, "POST", "/dsources/delete", body);
    if (answer.status === 409) throw new DctError("conflict", JSON.stringify(answer.body));
    return answer.body;
  }

  /** An engine that stands still at the failpoint, for `work`; then one that goes on, for `look`. */
  async function heldAt<T>(
    holdAt: string,
    work: (client: DctClient, engine: EngineProcess) => Promise<T>,
    look: (client: DctClient, made: T) => Promise<void>,
  ): Promise<void> {
    await using held = await startEngineProcess(scratch, { holdAt });
    const made = await work(held.client, held);
    await held.kill();
    await using next = await startEngineProcess(scratch);
    await look(next.client, made);
  }

  test("a provisioning keeps its snapshot, that one's dSource, and the VDB that it copies", async () => {
    await using first = await startEngineProcess(scratch);
    const parent = await provisioned(first.client, snapshot.id, "parent");
    await first.stop();
    await heldAt(
      "DB_PROVISION:started",
      async (client, engine) => {
        const ofSnapshot = await client.provisionBySnapshot({ snapshot_id: snapshot.id, name: "a" });
        const ofVdb = await client.provisionBySnapshot({ source_data_id: parent.id, name: "b" });
        const needs = new RegExp(`snapshot ${snapshot.id} by job ${ofSnapshot.jobId} \\(DB_PROVISION of a\\)`, "u");
        match(await conflictOf(client.deleteSnapshot(snapshot.id)), needs);
        match(await conflictOf(forceDelete(engine)), needs);
        match(
          await conflictOf(client.deleteVdb(parent.id)),
          new RegExp(`VDB parent cannot be deleted.* by job ${ofVdb.jobId} \\(DB_PROVISION of b\\)`, "u"),
        );
        equal((await client.getVdb(parent.id))?.status, "RUNNING", "a deletion that was refused has changed nothing");
        return [ofSnapshot, ofVdb];
      },
      async (client, made) => {
        for (const { jobId, vdbId } of made) {
          await succeeded(client, jobId);
          await using server = await startOnClone(scratch, (await client.getVdb(vdbId))?.exported_data_directory ?? "");
          equal(contentOf(server), contentOf(source));
        }
        for (const id of [parent.id, ...made.map(({ vdbId }) => vdbId)])
          await succeeded(client, (await client.deleteVdb(id)).jobId);
        deepEqual(inPool(scratch).vdbs, [], "afterwards nothing is held");
        deepEqual(inPool(scratch).snapshots, [snapshot.id]);
      },
    );
  });

  test("nothing is provisioned from what is being deleted, and its snapshots go with it alone", async () => {
    await using first = await startEngineProcess(scratch);
    const vdb = await provisioned(first.client, snapshot.id, "going");
    const [own] = await first.client.searchSnapshots(eq("dataset_id", vdb.id));
    await first.stop();
    await heldAt(
      "DB_DELETE:started",
      async (client) => {
        const deletion = await client.deleteVdb(vdb.id);
        match(await conflictOf(client.provisionBySnapshot({ source_data_id: vdb.id, name: "x" })), /VDB going is being deleted/u);
        const goes = new RegExp(`snapshot ${own?.id} belongs to going, which is being deleted`, "u");
        match(await conflictOf(client.provisionBySnapshot({ snapshot_id: own?.id ?? "", name: "x" })), goes);
        match(await conflictOf(client.deleteSnapshot(own?.id ?? "")), goes);
        return deletion;
      },
      async (client, { jobId }) => {
        await succeeded(client, jobId);
        deepEqual(inPool(scratch).snapshots, [snapshot.id]);
      },
    );
  });

  test("deletions and provisionings that race: each one that was accepted succeeds", async () => {
    await using engine = await startEngineProcess(scratch);
    const { client } = engine;
    const parent = await provisioned(client, snapshot.id, "raced");
    const calls: (() => Started)[] = [];
    for (let round = 0; round < 8; round += 1) {
      await succeeded(client, (await client.snapshotVdb(parent.id)).jobId);
      const [own] = await client.searchSnapshots(eq("dataset_id", parent.id), { sort: "-timestamp", limit: 1 });
      const ownId = own?.id ?? "";
      const provision = (): Started => client.provisionBySnapshot({ snapshot_id: ownId, name: `raced-${round}` });
      const removal = (): Started => client.deleteSnapshot(ownId);
      calls.push(...(round % 2 === 0 ? [provision, removal] : [removal, provision]));
    }
    calls.push(
      () => client.provisionBySnapshot({ source_data_id: parent.id, name: "raced-last" }),
      () => client.deleteVdb(parent.id),
    );
    const answers = await Promise.allSettled(calls.map((call) => call()));
    const accepted = answers.filter((one) => one.status === "fulfilled").map(({ value }) => value.jobId);
    ok(accepted.length >= 9, `${accepted.length} of ${calls.length} were accepted`);
    for (const one of answers)
      if (one.status === "rejected") ok(one.reason instanceof DctError && one.reason.isFinal(), String(one.reason));
    const ends = await Promise.all(accepted.map(async (jobId) => await jobEnd(client, jobId)));
    deepEqual(
      ends.filter(({ kind }) => kind !== "succeeded"),
      [],
    );
  });

  const newest = async (client: DctClient): Promise<Snapshot | undefined> =>
    (await client.searchSnapshots(eq("dataset_id", dSourceId()), { sort: "-timestamp", limit: 1 }))[0];
  async function changed(client: DctClient, from: Snapshot | undefined): Promise<Snapshot> {
    for (let left = 300; left > 0; left -= 1) {
      const found = await newest(client);
      if (found !== undefined && found.id !== from?.id) return found;
      await new Promise((resolve) => void setTimeout(resolve, 100));
    }
    throw new Error("there is no newer snapshot");
  }

  test("the interval's retention leaves a snapshot that a provisioning needs, and takes it afterwards", async () => {
    const config = { dsources: [{ ...declared("production", source.port), interval: "1s", keep: 1 }] };
    await using held = await startEngineProcess(scratch, { config, holdAt: "DB_PROVISION:started" });
    const needed = await changed(held.client, await newest(held.client));
    const { jobId } = await held.client.provisionBySnapshot({ snapshot_id: needed.id, name: "slow" });
    let seen = needed;
    for (let later = 0; later < 3; later += 1) seen = await changed(held.client, seen);
    equal((await held.client.getSnapshot(needed.id))?.id, needed.id);
    await held.kill();
    await using next = await startEngineProcess(scratch, { config });
    await succeeded(next.client, jobId);
    for (let left = 100; (await next.client.getSnapshot(needed.id)) !== undefined; left -= 1) {
      ok(left > 0, "it is still there");
      await new Promise((resolve) => void setTimeout(resolve, 200));
    }
  });
});
