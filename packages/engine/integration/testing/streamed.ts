/** A production database, an engine with a streamed dSource of it, and what tests ask of both. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { eq, type Snapshot } from "@vdb/dct";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  jobEnd,
  poolDir,
  provisioned,
  startEngineProcess,
  writeConfig,
} from "./engine.ts";
import { metricOf } from "./metrics.ts";
import { contentOf, program, type Server, sourceOwner, startOnClone, startSource } from "./postgres.ts";
import { type Scratch, scratchFolder } from "./scratch.ts";

export interface Streamed extends AsyncDisposable {
  readonly scratch: Scratch;
  /** Both are replaced by tests that start another one. */
  source: Server;
  engine: EngineProcess;
  readonly dSourceId: string;
  /** The configuration's entry for it. */
  followed(more?: object): object;
  /** Of the dSource, without `delphix_engine_dsource_`. */
  metric(name: string): Promise<number | undefined>;
  /** Until the condition holds. */
  seen(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  streams(): Promise<void>;
  said(words: RegExp): Promise<void>;
  /** How often the engine has said this since it was started. */
  count(words: string): number;
  copies(): number;
  /** What the engine and its standby have said of late, without the requests. */
  relevant(): string;
  newest(): Promise<Snapshot>;
  synced(): Promise<Snapshot>;
  folderOf(snapshot: Snapshot): string;
  /** The configuration names the source at its present port. */
  relinked(more?: object): Promise<void>;
  changed(value: number): void;
  /** Answers how much it is: some segments of WAL. */
  writeMuch(table: string): number;
  /** Every page is whole, and a server on a clone has these rows, without a recovery. */
  holds(snapshot: Snapshot, content: string): Promise<void>;
  isTheSource(snapshot: Snapshot): Promise<void>;
  /** The server that runs on the standby's data, as the kernel sees it. */
  standbyPid(): number | undefined;
}

export async function startStreamed(settings: readonly string[] = [], unseen?: (scratch: Scratch) => string): Promise<Streamed> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(scratchFolder());
  const options = { initdb: ["--data-checksums"], ...(unseen === undefined ? {} : { unseen: unseen(scratch) }) };
  const source = await startSource(scratch, "production", 1, settings, options);
  stack.defer(() => link.source[Symbol.asyncDispose]());
  const followed = (more: object = {}): object => declared("production", link.source.port, more);
  let [dSourceId, clones] = ["", 0];
  const link: Streamed = {
    scratch,
    source,
    engine: await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } }),
    get dSourceId() {
      return dSourceId;
    },
    followed,
    metric: (name) => metricOf(link.engine, scratch, `delphix_engine_dsource_${name}`, "production"),
    seen: async (what, holds) => {
      for (let left = 600; !(await holds()); left -= 1) {
        ok(left > 0, `${what}:\n${link.relevant()}`);
        await sleep(200);
      }
    },
    streams: () => link.seen("the dSource is streamed", async () => (await link.metric("streaming")) === 1),
    said: (words) => link.seen(`the engine says ${words}`, () => words.test(link.engine.log())),
    count: (words) => link.engine.log().split(words).length - 1,
    copies: () => link.count("a base backup has come"),
    relevant: () => {
      const lines = link.engine.log().split("\n");
      return lines
        .filter((line) => !line.includes('"msg":"request"'))
        .slice(-80)
        .join("\n");
    },
    newest: async () => {
      const filter = eq("dataset_id", dSourceId);
      const [found] = await link.engine.client.searchSnapshots(filter, { sort: "-timestamp", limit: 1 });
      ok(found !== undefined);
      return found;
    },
    synced: async () => {
      const { jobId } = await link.engine.client.snapshotDSource(dSourceId);
      // A busy machine copies for a minute; a standby that is of no use is given up after one.
      const end = await jobEnd(link.engine.client, jobId, 240);
      ok(end.kind === "succeeded", `job ${jobId} has not succeeded:\n${link.relevant()}`);
      return await link.newest();
    },
    folderOf: ({ id }) => join(poolDir(scratch), "snapshots", id),
    relinked: async (more = {}) => {
      const earlier = link.count("the changed configuration is in force");
      writeConfig(scratch, { dsources: [followed(more)] });
      await link.seen("the configuration is read", () => link.count("the changed configuration is in force") > earlier);
    },
    changed: (value) => void link.source.sql(`UPDATE pgbench_accounts SET abalance = ${value} WHERE aid % 500 = 1`),
    writeMuch: (table) => {
      const rows = "SELECT id, repeat(md5(id::text), 6) FROM generate_series(1, 200000) AS id";
      link.source.sql(`CREATE TABLE ${table} AS ${rows}`);
      return Number(link.source.sql(`SELECT pg_table_size('${table}')`));
    },
    holds: async (snapshot, content) => {
      const folder = link.folderOf(snapshot);
      deepEqual(readdirSync(folder), ["data"]);
      deepEqual(
        readdirSync(join(folder, "data")).filter((name) => /signal$|postmaster|aside$/u.test(name)),
        [],
      );
      await promisify(execFile)(program(scratch, "pg_checksums"), ["--check", "-D", join(folder, "data")]);
      clones += 1;
      const vdb = await provisioned(link.engine.client, snapshot.id, `clone-${clones}`);
      await using server = await startOnClone(scratch, vdb.exported_data_directory);
      equal(contentOf(server), content);
      match(server.log(), /database system was shut down at/u);
      equal(server.sql("SELECT pg_is_in_recovery()"), "f");
    },
    isTheSource: async (snapshot) => await link.holds(snapshot, contentOf(link.source)),
    standbyPid: () => serverOn(join(poolDir(scratch), "standbys", dSourceId, "data")),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
  stack.defer(() => link.engine[Symbol.asyncDispose]());
  dSourceId = (await firstSnapshot(link.engine, "production")).dataset_id ?? "";
  const all = stack.move();
  return link;
}

function serverOn(folder: string): number | undefined {
  return readdirSync("/proc")
    .map(Number)
    .find((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        const [name = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return name.endsWith("bin/postgres") && args.includes(folder);
      } catch {
        return false;
      }
    });
}

/** A stopped source's folder, once more. */
export function copied(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
  execFileSync("chown", ["-R", `${sourceOwner}:${sourceOwner}`, to]);
}
