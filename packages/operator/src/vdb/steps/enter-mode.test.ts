import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { type Deployment, deployments } from "kube-runtime";
import { modeOf, type PodMode } from "../decide/decide-mode.ts";
import type { Course } from "../decide/hold.ts";
import { contentLabel } from "../names.ts";
import { modeLabels } from "../objects/deployment.ts";
import { aPod, contentId, forever, healthy, meta, stepBench } from "../step-bench.ts";
import { enterMode } from "./enter-mode.ts";

const opened = { content: { id: contentId, madeBy: "create", openedTime: "2026-01-01T00:00:00Z" } };

interface Row {
  readonly why: string;
  readonly mode?: "Primary";
  readonly present: PodMode;
  readonly wasOpened?: true;
  readonly course?: Course;
  /** What the server says when it is asked once more. */
  readonly says?: object;
  readonly want: string;
}
const rows: readonly Row[] = [
  { why: "a Primary is what it should be", mode: "Primary", present: "Primary", want: "done" },
  { why: "it is read-only already", present: "Standby", want: "done" },
  { why: "its hooks have run", present: "Primary", want: "waiting, then Standby" },
  { why: "no action may keep it from that", present: "Primary", course: "asItRuns", want: "waiting, then Standby" },
  { why: "its password is written", present: "Preparing", wasOpened: true, want: "waiting, then Standby" },
  { why: "the same under an action", present: "Preparing", wasOpened: true, course: "asItRuns", want: "waiting, then Standby" },
  { why: "the change waits for the action", present: "Primary", wasOpened: true, course: "asItRuns", want: "done" },
  { why: "a hook has dropped the role", present: "Primary", says: { roleExists: false }, want: "terminal" },
];

describe("enterMode", () => {
  for (const { why, mode = "Standby", present, wasOpened, course = "asDeclared", says = {}, want } of rows)
    test(`${mode} on ${present}: ${why}`, async () => {
      const labels = { [contentLabel]: contentId, ...modeLabels(present) };
      const spec = { containers: [{ name: "postgres", image: "postgres:16.2" }] };
      const deployment: Deployment = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: meta("orders"),
        spec: { replicas: 1, selector: {}, template: { metadata: { labels }, spec } },
      };
      const hooks = [{ stage: "post-create", name: "mask", script: "SELECT 1" }];
      const pod = aPod({}, { labels });
      const bench = await stepBench({
        spec: { mode, hooks },
        ...(wasOpened ? { status: opened } : {}),
        deployment,
        pods: [pod],
        exec: () => healthy(says),
      });
      await bench.client.create(deployments, deployment, forever);
      const password = { kind: "known", value: "a-good-password" } as const;
      const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: meta("c") };
      const ctx = { ...bench.ctx, pod, course, password, configMap, settings: "", settingsCorrected: false };
      const outcome = await enterMode.run(ctx, forever);
      const written = await bench.client.get(deployments, { namespace: "shop", name: "orders" }, forever);
      const isWritten = bench.writes.includes("apply deployments orders");
      equal(isWritten ? `${outcome.kind}, then ${modeOf(written.spec.template.metadata)}` : outcome.kind, want, why);
      deepEqual(bench.events, isWritten ? ["Restarting"] : []);
    });
});
