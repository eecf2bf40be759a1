import { deepEqual, equal, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Connection } from "kube-runtime";
import { createProgram, runCli } from "../cli.ts";
import { assertGolden } from "../testing/golden.ts";
import { testWorld } from "../testing/world.ts";

/** Where nothing is sent: a dry run of the client asks nobody. */
const nowhere = async (): Promise<Connection> => ({
  server: new URL("https://nowhere.test"),
  pathPrefix: "",
  namespace: "shop",
  tls: async () => ({}),
  headers: async () => ({}),
});

const inWords = async (...words: readonly string[]) => {
  const world = testWorld(nowhere, { readText: async (file) => (file === "-" ? "SELECT 1;\nSELECT 2;\n" : "") });
  const exitCode = await runCli(words, world);
  return { exitCode, stdout: world.stdout.written(), stderr: world.stderr.written() };
};

const dry = ["--dry-run=client", "-o", "yaml"];
for (const { name, words } of [
  { name: "snapshot", words: ["snapshot", "orders", "--bookmark", "before-release"] },
  { name: "refresh", words: ["refresh", "orders"] },
  { name: "refresh-at", words: ["refresh", "orders", "--at", "2026-01-31T13:00+01:00", "--keep-previous", "48h", "-n", "other"] },
  {
    name: "rewind",
    words: ["rewind", "orders", "--snapshot", "1-APPDATA_SNAPSHOT-7", "--name", "back", "--deadline", "30m", "--ttl", "1h"],
  },
  { name: "plan", words: ["plan", "rewind", "orders", "--snapshot", "7"] },
  { name: "refresh-planned", words: ["refresh", "orders", "--plan", "orders-plan-bbbbb"] },
  { name: "undo", words: ["undo", "orders"] },
  { name: "run", words: ["run", "orders", "-f", "-", "--database", "app", "--timeout", "90s"] },
  { name: "run-command", words: ["run", "orders", "--command", "df -h"] },
])
  test(`${words.join(" ")} is the object of golden/dry-run-${name}.txt`, async () => {
    const { exitCode, stdout, stderr } = await inWords(...words, ...dry);
    deepEqual([exitCode, stderr], [0, ""]);
    assertGolden(`dry-run-${name}`, stdout);
  });

test("-o name and -o json of a dry run", async () => {
  equal(
    (await inWords("refresh", "orders", "--dry-run=client", "-o", "name")).stdout,
    "vdbrefresh.actions.delphix.com/orders-refresh-bbbbb\n",
  );
  const { kind }: { readonly kind: string } = JSON.parse(
    (await inWords("refresh", "orders", "--dry-run=client", "-o", "json")).stdout,
  );
  equal(kind, "VDBRefresh");
  match((await inWords("refresh", "orders", "--dry-run=client")).stdout, /^vdbrefresh\.\S+ created \(client dry run\)\n$/u);
});

for (const { why, words, says } of [
  {
    why: "one snapshot alone",
    words: ["rewind", "orders", "--snapshot", "a", "--bookmark", "b"],
    says: /cannot be used with option/u,
  },
  { why: "a moment without a zone", words: ["refresh", "orders", "--at", "2026-01-31 12:00"], says: /a moment with its zone/u },
  { why: "a duration with a unit", words: ["refresh", "orders", "--keep-previous", "24"], says: /must be a duration/u },
  { why: "whole seconds", words: ["refresh", "orders", "--deadline", "1500ms"], says: /whole seconds/u },
  { why: "something to run", words: ["run", "orders"], says: /takes either the text itself or --file/u },
  { why: "no two texts", words: ["run", "orders", "SELECT 1", "-f", "-"], says: /takes either the text itself or --file/u },
  { why: "no empty text", words: ["run", "orders", "-f", "empty.sql"], says: /empty\.sql is empty/u },
  { why: "a goal", words: ["wait", "orders", "--for", "jsonpath={.x}"], says: /must be ready, stopped/u },
  { why: "a kind of ours", words: ["wait", "pod/orders"], says: /the kind must be one of postgresvdb, vdbsnapshot/u },
  { why: "a verb of ours", words: ["lits"], says: /unknown command 'lits'\n\(Did you mean list\?\)/u },
  { why: "a format of ours", words: ["list", "-o", "xml"], says: /Allowed choices are json, yaml, name, wide/u },
])
  test(`refused before anything is sent: ${why} is needed`, async () => {
    const { exitCode, stdout, stderr } = await inWords(...words);
    equal(exitCode, 1);
    equal(stdout, "");
    match(stderr, says);
  });

test("the page for users names every verb, and no other", () => {
  const page = readFileSync(new URL("../../../../docs/kubectl-vdb.md", import.meta.url), "utf8");
  const program = createProgram(testWorld(nowhere), () => undefined);
  const verbs = program.commands.map((command) => command.name());
  deepEqual(
    verbs.filter((verb) => !page.includes(`kubectl vdb ${verb}`) && !page.includes(`\`${verb}`)),
    [],
  );
  const named = [...page.matchAll(/kubectl vdb ([a-z]+)/gu)].map(([, verb = ""]) => verb);
  deepEqual(
    named.filter((verb) => !verbs.includes(verb) && verb !== "is"),
    [],
  );
});

test("help names every verb and flag", async () => {
  const { exitCode, stdout } = await inWords("--help");
  equal(exitCode, 0);
  assertGolden("help", stdout);
  assertGolden("help-refresh", (await inWords("refresh", "--help")).stdout);
});
