/** Argo CD's health of our kinds, by the script that docs/gitops.md gives, run by the Lua that Argo CD's is: 5.1. */
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { parse } from "yaml";
import { actionStates, vdbStates } from "../src/status/example-states.ts";

const root = join(import.meta.dirname, "../../..");
const script = readFileSync(join(root, "samples/argocd/health.lua"), "utf8");

let lua = "";
before(() => {
  const { status, stdout, stderr } = spawnSync(join(root, "scripts/debian-program"), ["lua5.1", "usr/bin/lua5.1"], {
    encoding: "utf8",
  });
  equal(status, 0, stderr);
  lua = stdout.trim();
});

/** A value as Argo CD gives it to the script. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return "nil";
  if (Array.isArray(value)) return `{${value.map(literal).join(", ")}}`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, inner]) => `[${JSON.stringify(key)}] = ${literal(inner)}`)
      .join(", ")}}`;
  return typeof value === "string"
    ? `"${value.replaceAll(/["\\\n]/gu, (one) => (one === "\n" ? "\\n" : `\\${one}`))}"`
    : JSON.stringify(value);
}

function healthOf(object: unknown): { readonly health: string; readonly message: string } {
  const program = `obj = ${literal(object)}\nlocal hs = (function()\n${script}\nend)()\nio.write(hs.status, "\\t", hs.message)`;
  const { status, stdout, stderr } = spawnSync(lua, ["-"], { input: program, encoding: "utf8" });
  equal(status, 0, stderr);
  const [health = "", message = ""] = stdout.split("\t");
  return { health, message };
}

const healths = { Current: "Healthy", InProgress: "Progressing", Failed: "Degraded", Terminating: "Progressing" } as const;

test("each state is as healthy as kstatus says, and stopped on purpose is suspended", () => {
  const states = [...vdbStates, ...actionStates];
  deepEqual(
    states.map(({ name, object }) => `${object.kind}, ${name}: ${healthOf(object).health}`),
    states.map(
      ({ name, kstatus, object }) =>
        `${object.kind}, ${name}: ${object.status.phase === "Stopped" ? "Suspended" : healths[kstatus]}`,
    ),
  );
});

test("the message is the operator's own", () => {
  const failed = vdbStates.find(({ name }) => name === "a source that does not exist");
  match(healthOf(failed?.object).message, /neither a dSource nor a VDB named absent/u);
});

test("what was edited or is being deleted is not healthy yet", () => {
  const { object } = vdbStates.find(({ name }) => name === "ready") ?? {};
  if (object === undefined) throw new Error("there is no such state");
  equal(healthOf(object).health, "Healthy");
  equal(healthOf({ ...object, metadata: { ...object.metadata, generation: 2 } }).health, "Progressing");
  equal(
    healthOf({ ...object, metadata: { ...object.metadata, deletionTimestamp: "2026-01-31T12:00:00Z" } }).health,
    "Progressing",
  );
  equal(healthOf({ ...object, status: undefined }).health, "Progressing");
});

test("the ConfigMap for Argo CD has this script for both groups", () => {
  const { data }: { data: Readonly<Record<string, string>> } = parse(
    readFileSync(join(root, "samples/argocd/argocd-cm.yaml"), "utf8"),
  );
  const customizations: Readonly<Record<string, { readonly "health.lua": string }>> = parse(
    data["resource.customizations"] ?? "",
  );
  deepEqual(Object.keys(customizations), ["core.delphix.com/*", "actions.delphix.com/*"]);
  for (const [group, { "health.lua": text }] of Object.entries(customizations)) equal(text, script, group);
});
