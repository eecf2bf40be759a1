import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemsOf } from "@vdb/dct/testing";
import { createLog } from "kube-runtime";
import { Agent, request } from "undici";
import { type Catalogue, openCatalogue } from "../../catalogue/catalogue.ts";
import { dSourceById } from "../../catalogue/datasets.ts";
import { insertDSource } from "../../catalogue/insert-dsource.ts";
import { allGroups, reconcilePlaces } from "../../catalogue/places.ts";
import { decodeSettings } from "../../config/settings.ts";
import { makeSelfSigned } from "../../identity/self-signed.ts";
import { snapshotDSource } from "../../jobs/sync-dsource.ts";
import { btrfsPool } from "../../pool/btrfs.ts";
import { allRoutes } from "../routes.ts";
import { startServer } from "../server.ts";

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body, which is JSON in every answer. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The API on a catalogue of its own. Jobs are recorded and never carried out: no pool is needed for what is tested with it. */
export interface TestApi extends AsyncDisposable {
  readonly catalogue: Catalogue;
  readonly port: number;
  readonly log: () => string;
  /** `path` is below the base path. A body that is no text is sent as JSON. */
  /** `authorization`: another one than the right key; null: none. */
  call(method: string, path: string, body?: unknown, authorization?: string | null): Promise<Answered>;
  /** Outside of the base path, where no key is asked for. */
  health(path: "/healthz" | "/readyz" | "/openapi.json"): Promise<Answered>;
  /** A linked dSource with one snapshot; the ids of both. */
  linked(name: string): { readonly sourceId: string; readonly snapshotId: string };
}

/** Every answer of every test is one that clients of the public document can read. */
function requireAsDescribed(method: string, target: string, status: number, text: string): void {
  const [, path] = /^\/v3(\/[^?]*)/u.exec(target) ?? [];
  if (path === undefined) return;
  const problems = problemsOf({ method, path, status, body: text === "" ? undefined : JSON.parse(text) });
  if (problems.length > 0) throw new Error(`${method} ${path}: ${text.slice(0, 200)}\n${problems.join("\n")}`);
}

const metricsText = (): string => "";
const notReadyBecause = async (): Promise<undefined> => undefined;

export async function startTestApi(): Promise<TestApi> {
  await using started = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "engine-api-"));
  started.defer(() => rmSync(folder, { recursive: true }));
  const catalogue = started.use(openCatalogue(join(folder, "catalogue.db")));
  reconcilePlaces(catalogue, decodeSettings(""));
  const lines: string[] = [];
  const log = createLog({ level: "warn", destination: { write: (line) => void lines.push(line) } });
  const pool = btrfsPool(join(folder, "pool"), join(folder, "pool.img"));
  const routes = allRoutes({
    catalogue,
    pool,
    runner: {
      wake: () => undefined,
      abandon: () => undefined,
      progressOf: () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    },
    streamOf: () => undefined,
    sizes: { known: () => undefined, fresh: async () => undefined },
    storageFigures: () => ({ capacityBytes: 100 * 2 ** 30, usedBytes: 2 ** 30, reserveBytes: 2 ** 28 }),
    engineName: () => "delphix-engine",
    nodeName: "test-node",
    publicHost: "localhost",
    version: "0",
  });
  const { key, cert } = makeSelfSigned("engine", ["localhost"], new Date(Date.now() - 60_000), new Date(Date.now() + 86_400_000));
  const apiKey = "1.secret";
  const callerOf = (given: string): string | undefined => (given === apiKey ? "tests" : undefined);
  const server = started.use(
    await startServer({
      host: "127.0.0.1",
      port: 0,
      key,
      cert,
      callerOf,
      routes,
      poolFileSystem: "btrfs",
      notReadyBecause,
      metricsText,
      log,
    }),
  );
  const agent = new Agent({ connect: { ca: cert }, connections: 4 });
  started.defer(() => agent.destroy());
  const origin = `https://localhost:${server.port}`;
  const send = async (method: string, path: string, body?: unknown, authorization?: string | null): Promise<Answered> => {
    const bytes = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const headers: Record<string, string> = authorization === null ? {} : { authorization: authorization ?? `apk ${apiKey}` };
    const options = { method, dispatcher: agent, headers, ...(bytes === undefined ? {} : { body: bytes }) };
    const answer = await request(origin + path, options);
    const text = await answer.body.text();
    requireAsDescribed(method, path, answer.statusCode, text);
    return { status: answer.statusCode, headers: answer.headers, text, body: text === "" ? {} : JSON.parse(text) };
  };
  const linked = (name: string): { sourceId: string; snapshotId: string } => {
    const groupId = allGroups(catalogue)[0]?.id ?? "";
    const connection = { host: "db", port: 5432, user: "link", sslmode: "prefer" };
    const sourceId = insertDSource(catalogue, { name, groupId, declared: false, connection, tags: [] });
    const source = dSourceById(catalogue, sourceId);
    if (source === undefined) throw new Error("not recorded");
    const { parameters } = snapshotDSource.request({ catalogue, pool }, { source, madeBy: "link" });
    const snapshotId = String(parameters["snapshotId"]);
    const now = "2026-01-02T03:04:05.678Z";
    const ready = "UPDATE snapshot SET state = 'ready', timestamp = ?, location = '0/5000028', version = '16' WHERE id = ?";
    catalogue.run(ready, now, snapshotId);
    catalogue.run("UPDATE dsource SET state = 'linked' WHERE id = ?", sourceId);
    catalogue.run("UPDATE job SET status = 'COMPLETED' WHERE target_id = ?", sourceId);
    return { sourceId, snapshotId };
  };
  const all = started.move();
  return {
    catalogue,
    port: server.port,
    log: () => lines.join(""),
    call: (method, path, body, authorization) => send(method, `/v3${path}`, body, authorization),
    health: (path) => send("GET", path),
    linked,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
