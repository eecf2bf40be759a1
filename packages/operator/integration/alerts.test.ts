/** The chart's alerts under Prometheus' own tool: they parse, and each fires on what it is for and on nothing else. */
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";

const rules = join(import.meta.dirname, "../../../charts/delphix-operator/files/alerts.yaml");
const cases = readFileSync(join(import.meta.dirname, "testing/alerts.yaml"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "alerts-"));
after(() => rmSync(folder, { recursive: true }));

let promtool = "";
before(() => {
  const fetch = join(import.meta.dirname, "../../../scripts/debian-program");
  const { status, stdout, stderr } = spawnSync(fetch, ["prometheus", "usr/bin/promtool"], { encoding: "utf8" });
  equal(status, 0, stderr);
  promtool = stdout.trim();
});

const run = (...args: readonly string[]): { readonly status: number | null; readonly out: string } => {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: "utf8" });
  return { status, out: stdout + stderr };
};

function testRules(file: string): ReturnType<typeof run> {
  const path = join(folder, "cases.yaml");
  writeFileSync(path, cases.replace("RULES", file));
  return run("test", "rules", path);
}

test("the rules parse", () => {
  const { status, out } = run("check", "rules", rules);
  equal(status, 0, out);
  match(out, /1[0-9] rules found/u);
});

test("each alert fires on what it is for, in time, and on nothing else", () => {
  const { status, out } = testRules(rules);
  equal(status, 0, out);
});

test("a threshold that is moved is noticed", () => {
  const moved = join(folder, "moved.yaml");
  writeFileSync(moved, readFileSync(rules, "utf8").replace("> 0.85", "> 0.99"));
  equal(testRules(moved).status, 1);
});

test("every alert has a case in which it fires, and says what to do", () => {
  const { groups }: { groups: readonly { rules: readonly { alert: string; annotations: Record<string, string> }[] }[] } = parse(
    readFileSync(rules, "utf8"),
  );
  const alerts = groups.flatMap((group) => group.rules);
  const fired = new Set([...cases.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n/gu)].map(([, name = ""]) => name));
  deepEqual(
    alerts.filter(({ alert, annotations }) => !fired.has(alert) || !annotations["summary"] || !annotations["description"]),
    [],
  );
});
