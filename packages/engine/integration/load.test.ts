/** The largest VDBs that the API takes, listed by many at once: the engine keeps its memory and goes on answering its probes. */
import { equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { list, map } from "@vdb/dct";
import { Agent, request } from "undici";
import {
  apiKeyOf,
  dataDir,
  declared,
  type EngineProcess,
  firstSnapshot,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { type Server, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const vdbCount = 60;
const listers = 8;
/** The chart's limit is 1 GiB, for the engine and the PostgreSQL that it starts. */
const mostMiB = 512;

/** As much as each field may hold. */
const largest = (i: number): object => ({
  name: `${i}-`.padEnd(256, "ä"),
  database_name: "d".repeat(256),
  mount_point: "/".padEnd(256, "m"),
  appdata_source_params: { a: "\n".repeat(8_100) },
  appdata_config_params: { b: "\n".repeat(8_100) },
  tags: Array.from({ length: 8 }, (_, n) => ({ key: `k${n}`, value: "v".repeat(4_000) })),
});

/** In clock ticks of a hundredth of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Asks as the kubelet does, by a connection each, from a process that does nothing else. `stop` answers the longest wait in ms. */
function probing(url: string, caFile: string): { stop(): Promise<number> } {
  const program = `
    const https = require("node:https"), ca = require("node:fs").readFileSync(process.argv[2]);
    let worst = 0;
    const ask = () => {
      const from = performance.now();
      https.get(process.argv[1] + "/readyz", { ca, agent: false }, (answer) => answer.resume().on("end", () => {
        worst = Math.max(worst, answer.statusCode === 200 ? performance.now() - from : Infinity);
        setTimeout(ask, 50);
      }));
    };
    process.stdin.on("end", () => { console.log(Math.round(worst)); process.exit(); }).resume();
    ask();`;
  const child = spawn(process.execPath, ["-e", program, url, caFile], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (said += text));
  return {
    stop: async () => {
      child.stdin.end();
      await once(child, "close");
      return Number(said);
    },
  };
}

describe("the largest VDBs, listed by many at once", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let get: (path: string) => Promise<{ readonly status: number; readonly text: string }>;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    engine = stack.use(await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } }));
    const read = (name: string): string => readFileSync(join(dataDir(scratch), name), "utf8").trim();
    const agent = new Agent({ connect: { ca: read("tls.crt") }, connections: listers + 2 });
    stack.defer(() => agent.destroy());
    const headers = { authorization: `apk ${apiKeyOf(scratch)}` };
    get = async (path) => {
      const { statusCode, body } = await request(engine.url + path, { dispatcher: agent, headers });
      return { status: statusCode, text: await body.text() };
    };
    const snapshot = await firstSnapshot(engine, "production");
    for (let i = 0; i < vdbCount; i += 1) {
      const { jobId } = await engine.client.provisionBySnapshot({ snapshot_id: snapshot.id, ...largest(i) });
      if (i === vdbCount - 1) await succeeded(engine.client, jobId);
    }
  });
  after(() => stack.disposeAsync());

  /** Every page; how many objects, and the largest page in bytes. */
  const walk = async (): Promise<{ readonly count: number; readonly pages: number; readonly largestPage: number }> => {
    let [count, largestPage, cursor] = [0, 0, ""];
    for (let pages = 1; ; pages += 1) {
      const { status, text } = await get(`/v3/vdbs?limit=1000${cursor}`);
      equal(status, 200, text.slice(0, 300));
      largestPage = Math.max(largestPage, Buffer.byteLength(text));
      const page = map(JSON.parse(text), "page");
      count += list(map)(page["items"], "items").length;
      const next = map(page["response_metadata"], "metadata")["next_cursor"];
      if (typeof next !== "string") return { count, pages, largestPage };
      cursor = `&cursor=${next}`;
    }
  };

  test("memory stays below the pod's limit, and the probes are answered meanwhile", async (t) => {
    const alone = performance.now();
    const { count, largestPage } = await walk();
    const listMs = performance.now() - alone;
    equal(count, vdbCount);
    ok(largestPage < 2.2 * 2 ** 20, `a page of ${largestPage} bytes`);

    const probes = probing(engine.url, join(dataDir(scratch), "tls.crt"));
    const cpuBefore = cpuMs(engine.pid);
    const pages = await Promise.all(Array.from({ length: listers }, async () => (await walk()).pages + (await walk()).pages));
    const cpuPerPage = (cpuMs(engine.pid) - cpuBefore) / pages.reduce((sum, one) => sum + one, 0);
    const worstMs = await probes.stop();

    const peakMiB = Number(/VmHWM:\s+(\d+)/u.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8"))?.[1]) / 1024;
    t.diagnostic(
      `${vdbCount} VDBs: a list in ${Math.round(listMs)} ms, its largest page ${largestPage} bytes; ${Math.round(cpuPerPage)} ms of CPU a page; with ${listers} listers /readyz in ${worstMs} ms at worst; peak ${Math.round(peakMiB)} MiB`,
    );
    ok(peakMiB < mostMiB, `${peakMiB} MiB`);
  });
});
