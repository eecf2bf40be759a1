/**
 * Every verb of kubectl vdb on a real cluster, found by kubectl on PATH: on a terminal, through a pipe, and as a user with the
 * cluster's role view, with edit, and with none. Full tier: some eighty commands.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, testCluster } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { assertShown, scrubbed, shownBy, type Way } from "./kubectl-vdb/shown.ts";
import { database, type Verb, verbs } from "./kubectl-vdb/verbs.ts";
import { applyVdb, deleteSnapshots, deleteVdb, makePasswordSecret, patchSpec, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: database, namespace: "by-users" };

describe("kubectl vdb by every user", { timeout: 1_800_000, skip: !isFullTier }, () => {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-vdb-"));
  const env = { ...kubectl.bound.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
  /** The flags stand before a `--` for another program. */
  const as = async (user: string, { words, input = "" }: Verb, way: Way = "pipe") => {
    const end = words.includes("--") ? words.indexOf("--") : words.length;
    const flags = ["-n", vdb.namespace, "--as", user];
    return await shownBy(way, [...words.slice(0, end), ...flags, ...words.slice(end)], env, input);
  };

  before(async () => {
    execFileSync("node", [new URL("../packages/cli/build.ts", import.meta.url).pathname, folder]);
    await ensureNamespace(kubectl, vdb.namespace);
    for (const [user, role] of [
      ["viewer", "view"],
      ["developer", "edit"],
    ] as const)
      await kubectl.run(["create", "rolebinding", user, "-n", vdb.namespace, `--clusterrole=${role}`, `--user=${user}`]);
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
    const counted = ["--for=jsonpath={.status.ownBytes}", "--timeout=150s"]; // DCT is asked once a minute
    await kubectl.run(["wait", "postgresvdb", vdb.name, "-n", vdb.namespace, ...counted]);
    await patchSpec(kubectl, vdb, { expiry: { at: "2036-01-31T18:00:00Z", action: "Stop" } });
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await deleteSnapshots(kubectl, vdb.namespace);
    await deleteVdb(kubectl, vdb);
    await kubectl.run(["delete", "namespace", vdb.namespace, "--timeout=120s"]);
  });

  for (const way of ["pipe", "terminal"] as const)
    test(`the role edit is enough for every verb; what it shows on a ${way}`, async () => {
      for (const verb of verbs) {
        const { exitCode, stdout, stderr } = await as("developer", verb, way);
        equal(exitCode, verb.exitCode ?? 0, `${verb.as}: ${stdout}${stderr}`);
        for (const words of verb.has ?? []) match(stdout, words);
        const lasting = verb.lasting === undefined ? stdout : `${verb.lasting(stdout.split("\n")).join("\n")}\n`;
        assertShown(`${verb.as}-${way}`, way === "pipe" ? `${lasting}---- standard error\n${stderr}` : lasting);
      }
    });

  test("who has no right is told which one is missing, and never whether something is there", async () => {
    const told: string[] = [];
    for (const verb of verbs.filter(({ as: one }) => one !== "doctor" && one !== "completion")) {
      const { exitCode, stdout, stderr } = await as("stranger", verb);
      const [first = ""] = stderr.split("\n");
      told.push(`${verb.as}: ${scrubbed(first)}`);
      deepEqual([exitCode, stdout], [1, ""], verb.as);
      match(first, /^error: stranger may not (?:get|list|create|patch) [\w./-]+ in namespace by-users$/u, verb.as);
      match(stderr, /the right that is missing: verb \w+ on /u, verb.as);
    }
    assertShown("users-stranger", `${told.join("\n")}\n`);
  });

  test("the role view is enough for what changes nothing, and of the rest it lacks what is named", async () => {
    const told: string[] = [];
    for (const verb of verbs.filter(({ needs }) => needs !== undefined)) {
      const { exitCode, stdout, stderr } = await as("viewer", verb);
      deepEqual([exitCode, stdout], [1, ""], verb.as);
      const [first = ""] = stderr.split("\n");
      told.push(`${verb.as}: ${first}`);
      equal(first, `error: viewer may not ${verb.needs ?? ""} in namespace by-users`, verb.as);
    }
    assertShown("users-viewer", `${told.join("\n")}\n`);
    for (const verb of verbs.filter(({ needs }) => needs === undefined)) {
      const { exitCode, stdout, stderr } = await as("viewer", verb);
      equal(exitCode, verb.exitCode ?? 0, `${verb.as}: ${stdout}${stderr}`);
      ok(!/^error: viewer may not/mu.test(stderr), stderr);
    }
  });
});
