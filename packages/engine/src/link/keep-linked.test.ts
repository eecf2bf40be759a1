import { deepEqual, equal, match } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { silentLog } from "kube-runtime";
import { type Catalogue, openCatalogue } from "../catalogue/catalogue.ts";
import { allDSources } from "../catalogue/datasets.ts";
import { reconcilePlaces } from "../catalogue/places.ts";
import { decodeSettings, type Settings } from "../config/settings.ts";
import { unfinishedJobs } from "../jobs/submit.ts";
import { btrfsPool } from "../pool/btrfs.ts";
import { keepLinked, type Linker } from "./keep-linked.ts";

let passwordIs = "first";
const read = async (): Promise<string> => passwordIs;
const source = (host: string): string => `dsources: [{ name: a, host: ${host}, user: u, passwordSecret: { name: s, key: k } }]`;

describe("keepLinked", () => {
  let folder: string;
  let catalogue: Catalogue;
  let linker: Linker;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "linked-"));
    catalogue = openCatalogue(join(folder, "catalogue.db"));
    const runner = {
      wake: () => undefined,
      abandon: () => undefined,
      progressOf: () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
    const pool = btrfsPool(join(folder, "pool"), join(folder, "pool.img")); // nothing is made in it: no job runs
    linker = { catalogue, pool, runner, secrets: { read, readPassword: read }, log: silentLog, tries: new Map() };
  });
  afterEach(() => {
    catalogue[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  async function pass(yaml: string): Promise<Settings> {
    const settings = decodeSettings(yaml);
    reconcilePlaces(catalogue, settings);
    await keepLinked(linker, settings.dsources);
    return settings;
  }
  const jobs = (): readonly string[] => unfinishedJobs(catalogue).map(({ type, target_id }) => `${type} ${target_id}`);
  /** The running try ends as a failure that came after an hour of copying. */
  const fail = (): void => {
    const begun = new Date(Date.now() - 3_600_000).toISOString();
    catalogue.run("UPDATE job SET status = 'FAILED', copying_since = ?, updated = ?", begun, new Date().toISOString());
    catalogue.run("UPDATE dsource SET last_error = 'recovery failed'");
  };

  test("a try that failed after the copy is not repeated at once, but is when the configuration or the Secret changes", async () => {
    await pass(source("db"));
    equal(jobs().length, 1);
    fail();
    await pass(source("db"));
    equal(jobs().length, 0, "it would read all of production again");
    passwordIs = "second";
    await pass(source("db"));
    equal(jobs().length, 1, "another Secret");
    fail();
    await pass(source("db"));
    equal(jobs().length, 0);
    await pass(source("db-2"));
    equal(jobs().length, 1, "another host");
    fail();
    await pass(source("db-2"));
    equal(jobs().length, 0, "what was mended once is no reason to try forever");
  });

  test("after a restart the pause goes on", async () => {
    await pass(source("db"));
    fail();
    linker = { ...linker, tries: new Map() };
    await pass(source("db"));
    equal(jobs().length, 0);
    await pass(source("db-2"));
    equal(jobs().length, 1);
  });

  test("an empty dSource gets one snapshot, and does not become another kind of dSource under its name", async () => {
    const empty = "dsources: [{ name: a, empty: true }]";
    await pass(empty);
    equal(jobs().length, 1);
    catalogue.run("UPDATE job SET status = 'COMPLETED'");
    catalogue.run("UPDATE dsource SET state = 'linked'");
    await pass(empty);
    deepEqual(jobs(), []);
    await pass(source("db"));
    deepEqual(jobs(), []);
    const [found] = allDSources(catalogue);
    deepEqual(found?.connection, { empty: true });
    match(found?.last_error ?? "", /says that it is linked to a server, and it was made empty: give the new one another name/u);
  });

  test("old snapshots go in each group, also where two dSources have one name", async () => {
    const yaml = `
groups: [A, B]
dsources:
  - { name: a, group: A, host: db, user: u, interval: 1d, keep: 1 }
  - { name: a, group: B, host: db, user: u, interval: 1d, keep: 1 }
`;
    await pass(yaml);
    catalogue.run("UPDATE job SET status = 'COMPLETED'");
    catalogue.run("UPDATE dsource SET state = 'linked'");
    catalogue.run("DELETE FROM snapshot");
    const ids = allDSources(catalogue).map(({ id }) => id);
    for (const [i, id] of ids.entries())
      for (const [j, created] of ["2026-01-01T00:00:00.000Z", new Date().toISOString()].entries())
        catalogue.run(
          "INSERT INTO snapshot (id, dataset_id, dataset_kind, state, made_by, timeflow_id, owner, created) VALUES (?, ?, 'dSource', 'ready', 'interval', 't', 'o', ?)",
          `${i}-${j}`,
          id,
          created,
        );
    await pass(yaml);
    deepEqual(jobs().toSorted(), ["SNAPSHOT_DELETE 0-0", "SNAPSHOT_DELETE 1-0"]);
  });
});
