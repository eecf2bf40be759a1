/**
 * The operator's own time in a VDBRefresh, a VDBRewind and the creation of a database, and what it writes for them: on a real API
 * server, with a DCT, a kubelet and a PostgreSQL that are played.
 *
 *   node bench/own-time.ts [runs=30] [--trace] [--slow=0]
 *
 * Own time: from the creation until Completed or Ready, both as a watch tells of them, without the time in which a call to DCT
 * runs, the played kubelet and provisioner have something to do, or a command runs in the pod. Prints p50 and p95 of it and of the
 * whole, the writes (Events not counted) and how many of them follow one another, and beside them, in the same run, how long as many
 * writes take that one client makes one after the other. --trace: what the last run of each consisted of. --slow: so
 * many milliseconds longer takes each call of the operator to the API server: on a busy machine two versions are compared by that.
 */
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { resourceOf, vdbRefresh, vdbRewind } from "@vdb/api";
import {
  applyVdb,
  fakeDct,
  forever,
  healthy,
  isReady,
  makePassword,
  newNamespace,
  playCluster,
  startBench,
  startOperator,
  until,
  untilVdb,
  vdbs,
} from "@vdb/operator/testing";
import { configMaps, createClient } from "kube-runtime";
import { median, percentile } from "./median.ts";
import { type Noted, noteOutside } from "./own-time/outside.ts";
import { inARow, type Span, uncovered } from "./own-time/uncovered.ts";
import { watchEnds } from "./own-time/watch-ends.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { trace: { type: "boolean", default: false }, slow: { type: "string", default: "0" } },
});
const runs = Number(positionals[0] ?? 30);
const slowMs = Number(values.slow);
if (!Number.isInteger(runs) || runs < 1 || !(slowMs >= 0))
  throw new Error(
    "usage: node bench/own-time.ts [runs=30] [--trace] [--slow=0], runs a whole number from 1, slow in milliseconds",
  );

await using stack = new AsyncDisposableStack();
const bench = stack.use(await startBench());
const { noted, operator: operatorApi, cluster, awaited } = noteOutside(bench.api, slowMs);
const dct = fakeDct(0);
const played = { ...dct, client: new Proxy(dct.client, { get: (client, name) => noteCalls(name, Reflect.get(client, name)) }) };
const operator = stack.use(startOperator(operatorApi, played));
operator.answer = async () => await awaited("a command in the pod", async () => await Promise.resolve(healthy()));
const namespace = "own-time";
/** In seconds: a busy machine takes long. */
const patience = 240;
const { client } = bench;
await newNamespace(client, namespace);
await makePassword(client, namespace);
stack.use(playCluster(createClient(cluster, { fieldManager: "cluster" }), namespace, 2));
await applyVdb(client, namespace, "orders");
await untilVdb(client, namespace, "orders", isReady, patience);
const stopWatches = new AbortController();
stack.defer(() => stopWatches.abort());
const actionEnd = {
  namespace,
  judge: ({ status }: { readonly status: { readonly phase?: string } }) => {
    if (status.phase === "Error") throw new Error(JSON.stringify(status));
    return status.phase === "Completed";
  },
};
const spanOf = {
  database: watchEnds(client, { resource: vdbs, namespace, judge: isReady }, stopWatches.signal),
  refresh: watchEnds(client, { resource: resourceOf(vdbRefresh), ...actionEnd }, stopWatches.signal),
  rewind: watchEnds(client, { resource: resourceOf(vdbRewind), ...actionEnd }, stopWatches.signal),
};

/** Functions of the client to DCT, noted while they run. */
function noteCalls(name: string | symbol, found: unknown): unknown {
  return typeof found === "function" && typeof name === "string"
    ? async (...args: unknown[]): Promise<unknown> => await awaited(`DCT ${name}`, async () => await found(...args))
    : found;
}

interface Run {
  readonly own: number;
  /** Of the own time: while a write was under way, else while a read was. */
  readonly inWrites: number;
  readonly inReads: number;
  readonly whole: number;
  readonly writes: number;
  /** Of them until the end, one after the other. */
  readonly inARow: number;
  readonly span: Span;
  readonly noted: readonly Noted[];
}

/** What is noted from the rest before it to the rest after it. */
async function measure(what: keyof typeof spanOf, name: string, create: () => Promise<unknown>): Promise<Run> {
  await atRest();
  noted.length = 0;
  await create();
  const span = await spanOf[what](name);
  await atRest();
  const left = (...kinds: readonly Noted["kind"][]): number =>
    uncovered(
      span,
      noted.filter(({ kind }) => kinds.includes(kind)),
    );
  const [own, withoutWrites, withoutCalls] = [left("awaited"), left("awaited", "write"), left("awaited", "write", "read")];
  const parts = { inWrites: own - withoutWrites, inReads: withoutWrites - withoutCalls };
  const row = inARow(noted.filter(({ kind, from }) => kind === "write" && from < span.to));
  return { own, ...parts, whole: span.to - span.from, writes: writes(), inARow: row, span, noted: [...noted] };
}

/** Until nothing is written any more. */
async function atRest(): Promise<void> {
  await untilVdb(client, namespace, "orders", isReady, patience);
  for (let before = -1; before !== writes(); ) {
    before = writes();
    await setTimeout(300);
  }
}

function writes(): number {
  return noted.filter(({ kind }) => kind === "write").length;
}

const target = { vdbRef: { name: "orders" } };
const measured = {
  database: async (name: string) => {
    const run = await measure("database", name, async () => await applyVdb(client, namespace, name));
    await client.delete(vdbs, { namespace, name }, forever);
    await until(`${name} is gone`, async () => (await client.find(vdbs, { namespace, name }, forever)) === undefined, patience);
    return run;
  },
  refresh: async (name: string) =>
    await measure(
      "refresh",
      name,
      async () =>
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
        await client.create(resourceOf(vdbRefresh), { metadata: { name, namespace }, spec: target } as never, forever),
    ),
  rewind: async (name: string) =>
    await measure("rewind", name, async () => {
      const spec = { ...target, snapshotRef: { type: "previous" } };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
      return await client.create(resourceOf(vdbRewind), { metadata: { name, namespace }, spec } as never, forever);
    }),
};

/** As many writes, one after the other, as one client makes them. */
async function plainWrites(count: number): Promise<number> {
  const from = performance.now();
  for (let index = 0; index < count; index += 1)
    await client.apply(
      configMaps,
      { metadata: { name: "plain", namespace }, data: { at: String(performance.now()) } },
      { fieldManager: "bench", force: true },
      forever,
    );
  return performance.now() - from;
}

await measured.refresh("warm-up"); // from here on there is previous data
const kinds = ["refresh", "rewind", "database"] as const;
const all = { refresh: [] as Run[], rewind: [] as Run[], database: [] as Run[] };
const plain = { refresh: [] as number[], rewind: [] as number[], database: [] as number[] };
for (let index = 0; index < runs; index += 1)
  for (const kind of kinds) {
    const run = await measured[kind](`${kind}-${index}`);
    all[kind].push(run);
    plain[kind].push(await plainWrites(run.writes));
  }

const together = 20;
await atRest();
noted.length = 0;
const from = performance.now();
const databases = Array.from({ length: together }, (_, index) => `burst-${index}`);
for (const name of databases) await applyVdb(client, namespace, name);
for (const name of databases) await untilVdb(client, namespace, name, isReady, patience);
const ms = performance.now() - from;
await atRest();
const each = writes() / together;

const figures = (of: readonly number[]): string => `p50 ${median(of).toFixed(0)} ms, p95 ${percentile(of, 0.95).toFixed(0)} ms`;
const medianOf = (of: readonly Run[], part: "inWrites" | "inReads"): string =>
  `${median(of.map((run) => run[part])).toFixed(0)} ms`;
for (const kind of kinds) {
  const ofKind = all[kind];
  console.log(
    `${kind}: own time ${figures(ofKind.map(({ own }) => own))} (p50 of it in writes ${medianOf(ofKind, "inWrites")}, in reads ${medianOf(ofKind, "inReads")}); whole ${figures(ofKind.map(({ whole }) => whole))}; ` +
      `${median(ofKind.map((run) => run.writes))} writes, ${median(ofKind.map((run) => run.inARow))} of them one after the other; as many plain writes p50 ${median(plain[kind]).toFixed(0)} ms`,
  );
  const last = ofKind.at(-1);
  if (!values.trace || last === undefined) continue;
  for (const { kind: of, what, ...span } of last.noted.toSorted((a, b) => a.from - b.from))
    console.log(
      `  ${(span.from - last.span.from).toFixed(1).padStart(8)} ${`+${(span.to - span.from).toFixed(1)}`.padStart(7)} ms  ${of.padEnd(8)}${what}`,
    );
  console.log(`  ${(last.span.to - last.span.from).toFixed(1).padStart(8)}             the end`);
}
console.log(`${together} databases applied at once: the last is Ready after ${ms.toFixed(0)} ms; ${each} writes each`);
