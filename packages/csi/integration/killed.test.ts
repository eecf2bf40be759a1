/** The controller's process killed between DCT's doing and its answer, in every RPC that changes something: one object of DCT each. */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { allOf, eq } from "@vdb/dct";
import { isFullTier, seededRandom, testSeed } from "kube-runtime/testing";
import { type Answer, call, type Driver, startDriver } from "./testing/driver.ts";
import { configureEngine, type Engine, nodeName, poolDir, startEngine, waitForSnapshot } from "./testing/engine.ts";
import { type HeldDct, startHeldDct } from "./testing/held-dct.ts";
import { type Kubernetes, startKubernetes } from "./testing/kubernetes.ts";
import { createdSnapshot, createdVolume, createRequest, snapshotRequest } from "./testing/requests.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";
import { type Source, startSource } from "./testing/source.ts";

/** What a call is about; a field is empty where the RPC makes it. */
interface Subject {
  readonly name: string;
  readonly volumeId: string;
  readonly snapshotId: string;
}

interface Row {
  readonly rpc: string;
  /** What there has to be before the call. */
  readonly needs: "nothing" | "volume" | "enabled" | "disabled" | "snapshot";
  readonly request: (subject: Subject) => object;
  /** What is true of DCT once the call has succeeded, and every time that it is repeated. */
  readonly holds: (subject: Subject, answer: Answer) => Promise<void>;
}

const gibibyte = 2 ** 30;
const publication = ({ volumeId }: Subject): object => ({
  volumeId,
  nodeId: nodeName,
  volumeCapability: { mount: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } },
});

describe("the controller killed in the middle of an RPC", { timeout: 900_000 }, () => {
  const stack = new AsyncDisposableStack();
  const random = seededRandom(testSeed);
  let scratch: Scratch;
  let source: Source;
  let engine: Engine;
  let kubernetes: Kubernetes;
  let dct: HeldDct;
  let driver: Driver;
  let names = 0;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch));
    configureEngine(scratch, source);
    kubernetes = stack.use(await startKubernetes());
    engine = stack.use(await startEngine(scratch, source));
    dct = stack.use(await startHeldDct(engine));
    kubernetes.secret = dct.credentials;
    kubernetes.claims.set("orders", { sourceDBName: "production" });
    stack.defer(async () => void (await driver.end("SIGTERM")));
    driver = await startDriver(scratch, kubernetes, { more: ["--attach"] });
    await waitForSnapshot(engine);
  });
  after(() => stack.disposeAsync());

  const jobs = async (target: string, type: string): Promise<number> =>
    (await engine.client.searchJobs(allOf(eq("target_id", target), eq("type", type)))).length;
  const enabled = async (id: string): Promise<boolean | undefined> => (await engine.client.getVdb(id))?.enabled;

  async function subject(needs: Row["needs"]): Promise<Subject> {
    names += 1;
    const name = `dlpx-killed-${names}`;
    const none = { name, volumeId: "", snapshotId: "" };
    if (needs === "nothing") return none;
    const { id } = createdVolume(await call(driver.socket, "CreateVolume", createRequest(name, "orders")));
    const made = { ...none, volumeId: id };
    if (needs === "disabled") equal((await call(driver.socket, "ControllerUnpublishVolume", publication(made))).code, "OK");
    if (needs !== "snapshot") return made;
    return { ...made, snapshotId: createdSnapshot(await call(driver.socket, "CreateSnapshot", snapshotRequest(name, { id }))) };
  }

  const rows: readonly Row[] = [
    {
      rpc: "CreateVolume",
      needs: "nothing",
      request: ({ name }) => createRequest(name, "orders"),
      holds: async ({ name }, answer) => {
        const { id } = createdVolume(answer);
        const vdbs = await engine.client.searchVdbs(eq("name", name));
        deepEqual([vdbs.map((vdb) => vdb.id), await jobs(id, "DB_PROVISION")], [[id], 1]);
      },
    },
    {
      rpc: "ControllerExpandVolume",
      needs: "volume",
      request: ({ volumeId }) => ({ volumeId, capacityRange: { requiredBytes: 3 * gibibyte } }),
      holds: async ({ volumeId }) => {
        const got = await call(driver.socket, "ControllerGetVolume", { volumeId });
        equal(JSON.parse(JSON.stringify("message" in got ? got.message : got)).volume?.capacityBytes, 3 * gibibyte);
      },
    },
    {
      rpc: "ControllerPublishVolume",
      needs: "disabled",
      request: publication,
      holds: async ({ volumeId }) => deepEqual([await enabled(volumeId), await jobs(volumeId, "DB_ENABLE")], [true, 1]),
    },
    {
      rpc: "ControllerUnpublishVolume",
      needs: "enabled",
      request: publication,
      holds: async ({ volumeId }) => deepEqual([await enabled(volumeId), await jobs(volumeId, "DB_DISABLE")], [false, 1]),
    },
    {
      rpc: "CreateSnapshot",
      needs: "volume",
      request: ({ name, volumeId }) => snapshotRequest(name, { id: volumeId }),
      holds: async ({ volumeId }, answer) => {
        const id = createdSnapshot(answer);
        const listed = await call(driver.socket, "ListSnapshots", { sourceVolumeId: volumeId });
        deepEqual(JSON.stringify(listed).match(/"snapshotId":"[^"]+"/gu), [`"snapshotId":"${id}"`]);
        equal(await jobs(volumeId, "DB_SNAPSHOT"), 1);
      },
    },
    {
      rpc: "DeleteSnapshot",
      needs: "snapshot",
      request: ({ snapshotId }) => ({ snapshotId }),
      holds: async ({ snapshotId, volumeId }) => {
        deepEqual([await engine.client.getSnapshot(snapshotId), await jobs(snapshotId, "SNAPSHOT_DELETE")], [undefined, 1]);
        notEqual(await engine.client.getVdb(volumeId), undefined, "its volume is untouched");
      },
    },
    {
      rpc: "DeleteVolume",
      needs: "volume",
      request: ({ volumeId }) => ({ volumeId }),
      holds: async ({ volumeId }) => {
        deepEqual([await engine.client.getVdb(volumeId), await jobs(volumeId, "DB_DELETE")], [undefined, 1]);
        equal(existsSync(join(poolDir(scratch), "vdbs", volumeId)), false);
      },
    },
  ];

  /** Cut off at the nth answer of DCT. False: the call has succeeded before that. */
  async function cutOff({ rpc, needs, request, holds }: Row, nth: number): Promise<boolean> {
    const about = await subject(needs);
    const held = dct.holdAt(nth).then(() => "held" as const);
    const lost = call(driver.socket, rpc, request(about));
    const cut = (await Promise.race([held, lost])) === "held";
    if (cut) {
      await driver.end("SIGKILL");
      equal((await lost).code, "UNAVAILABLE");
      driver = await startDriver(scratch, kubernetes, { more: ["--attach"] });
    }
    dct.passAll();
    for (const time of ["the next", "one more"]) {
      const answer = await call(driver.socket, rpc, request(about));
      equal(answer.code, "OK", `${time} call after answer ${nth} was lost: ${JSON.stringify(answer)}`);
      await holds(about, answer);
    }
    return cut;
  }

  for (const row of rows)
    test(`${row.rpc}: whichever answer is lost, the next call finds what was done`, async (t) => {
      dct.passAll();
      const about = await subject(row.needs);
      dct.passAll();
      const answer = await call(driver.socket, row.rpc, row.request(about));
      const calls = dct.count(); // more on a slow machine: a job is waited for by asking
      ok(calls > 0);
      await row.holds(about, answer);
      const all = Array.from({ length: calls }, (_, index) => index + 1);
      const chosen = isFullTier ? all : [1 + Math.floor(random() * calls)];
      const cut = [];
      for (const nth of chosen) if (await cutOff(row, nth)) cut.push(nth);
      t.diagnostic(`TEST_SEED=${testSeed}: killed at answer ${cut.join(", ")} of ${calls}`);
    });
});
