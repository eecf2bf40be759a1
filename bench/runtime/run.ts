/**
 * Measures the runtime on a real API server, each figure beside the official client's informer doing the same in the same run.
 *
 *   node bench/runtime/run.ts [--pods 10000] [--gadgets 1000] [--seconds 10] [--json FILE]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hrtime } from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Client, createClient, customResourceDefinitions, httpApi, isApiError, pods } from "kube-runtime";
import { startApiServer } from "kube-runtime/testing";
import { aPod } from "./a-pod.ts";
import { gadgetDefinition, gadgets, sentAt } from "./gadget.ts";

const { values } = parseArgs({
  options: {
    pods: { type: "string", default: "10000" },
    gadgets: { type: "string", default: "1000" },
    seconds: { type: "string", default: "10" },
    json: { type: "string" },
  },
});
const podCount = Number(values.pods);
const gadgetCount = Number(values.gadgets);
const seconds = Number(values.seconds);
const subjects = ["ours", "official"] as const;
const signal = AbortSignal.timeout(3_000_000);

/** Runs `make` for every number, a few at a time. */
async function inParallel(count: number, workers: number, make: (at: number) => Promise<unknown>): Promise<void> {
  const state = { next: 0 };
  const work = async (): Promise<void> => {
    while (state.next < count) {
      state.next += 1;
      await make(state.next - 1);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}

interface Measured {
  readonly [figure: string]: unknown;
}

/** One measurement in a process of its own: nothing of another stays in its heap. */
async function measure(program: string, args: readonly string[], whenReady?: () => Promise<void>): Promise<Measured> {
  const child = spawn(process.execPath, ["--expose-gc", join(import.meta.dirname, program), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const state: { answer: Measured | undefined } = { answer: undefined };
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "ready") void whenReady?.();
    else state.answer = parse(line);
  }
  await ended;
  if (state.answer === undefined) throw new Error(`${program} ${args[0]} printed no figures`);
  return state.answer;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by the program beside this one
const parse = (line: string): Measured => JSON.parse(line) as Measured;

/** 100 changes a second over all Gadgets, each carrying the moment in which it was sent. Gives how long each write took by itself. */
async function change(client: Client, count: number, mark: boolean): Promise<readonly number[]> {
  const startedMs = performance.now();
  const writes: number[] = [];
  await inParallel(count, 8, async (at) => {
    await delay(Math.max(0, startedMs + at * 10 - performance.now()));
    const now = Number(hrtime.bigint()) / 1e6;
    const annotations = mark ? { [sentAt]: String(now) } : { warmUp: String(now) };
    await client.patch(
      gadgets,
      { namespace: "default", name: `gadget-${at % gadgetCount}` },
      { metadata: { annotations } },
      signal,
    );
    writes.push(Number(hrtime.bigint()) / 1e6 - now);
  });
  return writes.toSorted((a, b) => a - b);
}

await using server = await startApiServer({ flags: ["--max-requests-inflight=800", "--max-mutating-requests-inflight=400"] });
await using api = httpApi(server.connection, { requestsPerSecond: 5000, burst: 5000 });
const client = createClient(api, { fieldManager: "bench", timeoutSeconds: 120 });
await client.create(customResourceDefinitions, gadgetDefinition, signal);
console.log(`making ${podCount} Pods and ${gadgetCount} Gadgets`);
await inParallel(podCount, 24, (at) => client.create(pods, aPod("default", at), signal));
await inParallel(gadgetCount, 8, async (at) => {
  const make = (): Promise<unknown> =>
    client.create(gadgets, { metadata: { namespace: "default", name: `gadget-${at}` }, spec: { size: at } }, signal);
  for (let tries = 0; ; tries += 1) {
    try {
      return await make();
    } catch (error) {
      if (!isApiError(error, "notFound") || tries > 100) throw error; // the definition is not served yet
      await delay(100);
    }
  }
});

const results: Record<string, readonly Measured[]> = {};
/** Ours and the official one, one after the other; in further rounds the other one begins: the first meets a busier server. */
async function both(name: string, program: string, args: readonly string[], rounds = 1): Promise<void> {
  const found: Measured[] = [];
  for (let round = 0; round < rounds; round += 1)
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed())
      found.push(await measure(program, [subject, server.kubeconfig, ...args]));
  results[name] = found;
  console.log(name, ...found.map((figures) => `\n  ${JSON.stringify(figures)}`));
}
await both("sync and memory", "measure-memory.ts", [String(podCount)], 4);
await both("no-op reconciles", "measure-noops.ts", [String(seconds)]);

// Both at once see the very same changes. The first two seconds only warm everything up.
const changes = seconds * 100;
const state: { ready: number; writes: readonly number[] } = { ready: 0, writes: [] };
const go = async (): Promise<void> => {
  state.ready += 1;
  if (state.ready < subjects.length) return;
  await change(client, 200, false);
  state.writes = await change(client, changes, true);
};
const latency = await Promise.all(
  subjects.map((subject) => measure("measure-latency.ts", [subject, server.kubeconfig, String(changes)], go)),
);
const part = (share: number): number | undefined => state.writes[Math.floor(state.writes.length * share)];
results["latency"] = [...latency, { subject: "the write itself, until its answer", p50Ms: part(0.5), p99Ms: part(0.99) }];
console.log("latency at 100 events/s", ...results["latency"].map((figures) => `\n  ${JSON.stringify(figures)}`));
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
