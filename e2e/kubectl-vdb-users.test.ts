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
import { applyVdb, deleteSnapshots, deleteVdb, makePasswordSecret, patchSpec, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: "by-hand", namespace: "by-users" };
const { name } = vdb;

interface Verb {
  /** Of its golden files. */
  readonly as: string;
  readonly words: readonly string[];
  readonly input?: string;
  /** The right that the role view lacks for it; left out: view is enough. */
  readonly needs?: string;
  readonly exitCode?: number;
  /** Which of its lines are the same from run to run; all unless told. */
  readonly lasting?: (lines: readonly string[]) => readonly string[];
  /** What has to be in the others. */
  readonly has?: readonly RegExp[];
}

/**
 * Of a story, what actions and hooks did: events and logs tell of waits that were long enough to be noticed. Sorted, for what is of
 * one second comes in any order.
 */
const ofActions = (lines: readonly string[]): readonly string[] => {
  const told = lines.filter((line) => /Z {2}(?:action|hook) {2}/u.test(line)).map((line) => scrubbed(line));
  return [...new Set(told)].toSorted((a, b) => (a < b ? -1 : 1));
};
/** Of a report, its parts, and the whole of the last one. */
const outline = (lines: readonly string[]): readonly string[] => {
  const last = lines.findLastIndex((line) => line.startsWith("==== "));
  return lines.filter((line, at) => line.startsWith("==== ") || at > last);
};

const creates = (plural: string): string => `create ${plural}.actions.delphix.com`;
/** In an order in which each finds what it needs. */
const verbs: readonly Verb[] = [
  { as: "list", words: ["list"] },
  { as: "list-wide", words: ["list", "-o", "wide"] },
  { as: "status", words: ["status", name] },
  { as: "tree", words: ["tree"] },
  { as: "snapshot", words: ["snapshot", name], needs: creates("vdbsnapshots") },
  { as: "plan", words: ["plan", "refresh", name], needs: creates("vdbrefreshes") },
  { as: "refresh", words: ["refresh", name], needs: creates("vdbrefreshes") },
  { as: "undo", words: ["undo", name], needs: creates("vdbrewinds") },
  { as: "rewind", words: ["rewind", name], needs: creates("vdbrewinds") },
  { as: "rewind-to-nothing", words: ["rewind", name, "--snapshot", "nothing"], needs: creates("vdbrewinds"), exitCode: 1 },
  { as: "run", words: ["run", name, "SELECT 40 + 2 AS sum"], needs: creates("postgrestasks") },
  { as: "run-failing", words: ["run", name, "SELECT nothing"], needs: creates("postgrestasks"), exitCode: 3 },
  { as: "psql", words: ["psql", name, "--", "-qXAt", "-c", "SELECT 40 + 2"], needs: "create pods/exec" },
  { as: "stop", words: ["stop", name], needs: "patch postgresvdbs.core.delphix.com" },
  { as: "status-stopped", words: ["status", name] },
  { as: "start", words: ["start", name], needs: "patch postgresvdbs.core.delphix.com" },
  { as: "extend", words: ["extend", name, "8h"], needs: "patch postgresvdbs.core.delphix.com" },
  { as: "wait", words: ["wait", name, "--timeout", "2m"] },
  { as: "wait-in-vain", words: ["wait", name, "--for=stopped", "--timeout=1s"], exitCode: 124 },
  { as: "plan-delete", words: ["plan", "delete", name] },
  { as: "doctor", words: ["doctor"] },
  { as: "completion", words: ["completion"] },
  {
    as: "logs",
    words: ["logs", name],
    lasting: ofActions,
    has: [/Z {2}postgres {2}.*ready to accept connections/u, /Z {2}event {5}PostgresVDB by-hand: /u],
  },
  { as: "report", words: ["report", name], lasting: outline, has: [/^kind: PostgresVDB\r?$/mu, /ready to accept connections/u] },
];

describe("kubectl vdb by every user", { timeout: 900_000, skip: !isFullTier }, () => {
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
