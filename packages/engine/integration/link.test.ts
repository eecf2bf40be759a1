/** Linking: declared dSources whose source or password is wrong at first, links through the API, snapshots by interval, a busy source. */
import { equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type DSource, eq } from "@vdb/dct";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  inPool,
  jobEnd,
  provisioned,
  smallPool,
  startEngineProcess,
  succeeded,
  writeConfig,
} from "./testing/engine.ts";
import { password, program, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

describe("linking", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    engine = stack.use(await startEngineProcess(scratch, { config: { dsources: [] } }));
  });
  after(() => stack.disposeAsync());

  async function seen(name: string, status: RegExp): Promise<DSource> {
    for (let left = 300; left > 0; left -= 1) {
      const [found] = await engine.client.searchDSources(eq("name", name));
      if (status.test(found?.status ?? "")) return found ?? { id: "" };
      await new Promise((resolve) => void setTimeout(resolve, 200));
    }
    throw new Error(`dSource ${name} never said ${status}:\n${engine.log().slice(-3000)}`);
  }
  const copied = () => declared("copied", source.port, { sync: "copy" });
  const secretFile = (): string => join(scratch.path, "secrets/link/password");

  test("each mistake is named in the status, and mending it is enough", async () => {
    rmSync(secretFile());
    writeConfig(scratch, { dsources: [declared("mistaken", 1)] });
    await seen("mistaken", /Error: cannot read key "password" of Secret "link"/u);
    writeFileSync(secretFile(), "wrong\n");
    await seen("mistaken", /Error: base backup of postgres@127\.0\.0\.1:1 failed: .*Connection refused/u);
    writeConfig(scratch, { dsources: [declared("mistaken", source.port)] });
    await seen("mistaken", /password authentication failed for user "postgres"/u);
    writeFileSync(secretFile(), `${password}\n`);
    await seen("mistaken", /^Linked$/u);
    equal((await engine.client.searchDSources(eq("name", "mistaken"))).length, 1);
  });

  test("a link through the API gives its password once and never shows it; a wrong one leaves nothing", async () => {
    const [group] = await engine.client.searchGroups(eq("name", "Untitled"));
    const parameters = { host: "127.0.0.1", port: source.port, user: "postgres", password };
    const right = await engine.client.linkAppData({ name: "asked-for", group_id: group?.id ?? "", parameters });
    await succeeded(engine.client, right.jobId);
    const linked = await engine.client.getDSource(right.dsourceId);
    equal(linked?.status, "Linked");
    ok(!JSON.stringify(linked).includes(password));
    const wrong = await engine.client.linkAppData({
      name: "refused",
      group_id: group?.id ?? "",
      parameters: { ...parameters, password: "x" },
    });
    const end = await jobEnd(engine.client, wrong.jobId);
    ok(end.kind === "failed");
    match(end.message, /password authentication failed/u);
    equal(await engine.client.getDSource(wrong.dsourceId), undefined);
    equal(inPool(scratch).work.length, 0);
    await succeeded(engine.client, (await engine.client.deleteDSource(right.dsourceId)).jobId);
    equal(await engine.client.getDSource(right.dsourceId), undefined);
  });

  for (const [sync, name] of [
    ["stream", "mistaken"],
    ["copy", "copied"],
  ] as const)
    test(`a snapshot of a busy source is consistent (sync: ${sync})`, async () => {
      writeConfig(scratch, { dsources: [declared("mistaken", source.port), copied()] });
      await firstSnapshot(engine, name);
      const load = spawn(
        program(scratch, "pgbench"),
        ["-h", "127.0.0.1", "-p", String(source.port), "-U", "postgres", "-n", "-c", "2", "-T", "600", "postgres"],
        {
          env: { PATH: "/usr/bin:/bin", PGPASSWORD: password },
          stdio: "ignore",
        },
      );
      const written = "SELECT count(*) FROM pgbench_history";
      try {
        const former = Number(source.sql(written));
        for (let left = 300; left > 0 && Number(source.sql(written)) < former + 100; left -= 1)
          await new Promise((resolve) => void setTimeout(resolve, 100));
        const [dSource] = await engine.client.searchDSources(eq("name", name));
        await succeeded(engine.client, (await engine.client.snapshotDSource(dSource?.id ?? "")).jobId);
      } finally {
        load.kill("SIGTERM");
        await once(load, "exit");
      }
      const snapshot = await firstSnapshot(engine, name);
      const vdb = await provisioned(engine.client, snapshot.id, `busy-${sync}`);
      await using server = await startOnClone(scratch, vdb.exported_data_directory);
      match(server.log(), /database system was shut down at/u);
      // Each transaction of pgbench adds the same amount to all four: any half of one would show.
      const sums = server
        .sql(
          "SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(delta) FROM pgbench_history)",
        )
        .split("|");
      equal(new Set(sums).size, 1, sums.join(" "));
      ok(Number(server.sql(written)) >= 100, "there was something to be consistent");
    });

  test("snapshots by interval come by themselves, the older ones go, those asked for stay", async () => {
    const [dSource] = await engine.client.searchDSources(eq("name", "mistaken"));
    const id = dSource?.id ?? "";
    const asked = (await engine.client.searchSnapshots(eq("dataset_id", id))).map((one) => one.id);
    writeConfig(scratch, {
      pool: smallPool,
      dsources: [{ ...declared("mistaken", source.port), interval: "1s", keep: 1 }, copied()],
    });
    const removed = '"type":"SNAPSHOT_DELETE"';
    await engine.logged(removed);
    writeConfig(scratch, { pool: smallPool, dsources: [declared("mistaken", source.port), copied()] });
    const left = (await engine.client.searchSnapshots(eq("dataset_id", id))).map((one) => one.id);
    ok(
      asked.every((one) => left.includes(one)),
      "what somebody asked for is not thrown away",
    );
    ok(left.length > asked.length, "the newest by interval is there");
  });
});
