import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { PostgresVDBStatus } from "@vdb/api";
import { onlyTells } from "./only-tells.ts";

const steps = new Set(["Configured", "Deployed", "Prepared"]);
const at = { lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 1 };
const condition = (type: string, status: "True" | "False" | "Unknown", reason: string, message = "") => ({
  type,
  status,
  reason,
  message,
  ...at,
});
const ready = condition("Ready", "False", "Starting", "the pod is made");
const reconciling = condition("Reconciling", "True", "Starting", "the pod is made");
const configured = condition("Configured", "True", "Configured");
const deployed = condition("Deployed", "False", "Starting", "the pod is made");
const hygiene = condition("HygieneApplied", "True", "Clean");
const storage = condition("StorageHealthy", "False", "PoolFull");
const stored: PostgresVDBStatus = {
  phase: "Deploying",
  observedGeneration: 1,
  conditions: [ready, reconciling, configured, deployed, storage],
};
const next = (conditions: readonly object[], more: object = {}): PostgresVDBStatus => ({
  ...stored,
  ...more,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- conditions as above
  conditions: conditions as NonNullable<PostgresVDBStatus["conditions"]>,
});
const says = { reason: "Preparing", message: "the server starts" };
const further = [{ ...ready, ...says }, { ...reconciling, ...says }, configured, { ...deployed, ...says }];

const rows: readonly { readonly name: string; readonly why: string; readonly next: PostgresVDBStatus; readonly want: boolean }[] =
  [
    { name: "other words", why: "they are told once they have lasted", next: next([...further, storage]), want: true },
    {
      name: "a step that comes into sight",
      why: "nothing is reached yet",
      next: next([...further, condition("Prepared", "Unknown", "NotReached"), storage]),
      want: true,
    },
    {
      name: "a step that is done",
      why: "a later run keeps what it said by what is stored",
      next: next([...further.slice(0, 3), { ...deployed, status: "True" }, storage]),
      want: false,
    },
    { name: "another phase", why: "each is seen", next: next([...further, storage], { phase: "Configuring" }), want: false },
    { name: "a record", why: "it is no word", next: next([...further, storage], { pvcName: "orders-1" }), want: false },
    {
      name: "a generation",
      why: "people wait for it",
      next: next([...further, storage], { observedGeneration: 2 }),
      want: false,
    },
    {
      name: "what one answer of the server has told",
      why: "the next run keeps it, and does not ask again",
      next: next([...further, hygiene, storage]),
      want: false,
    },
    {
      name: "trouble beside the steps",
      why: "it is no step on the way",
      next: next([...further, { ...storage, reason: "PoolNearlyFull" }]),
      want: false,
    },
    {
      name: "it is stalled",
      why: "a person is needed",
      next: next([ready, condition("Stalled", "True", "SettingRefused"), configured, deployed, storage]),
      want: false,
    },
    {
      name: "it is ready",
      why: "people wait for it",
      next: next([{ ...ready, status: "True" }, configured, { ...deployed, status: "True" }, storage]),
      want: false,
    },
  ];

for (const { name, why, next: to, want } of rows)
  test(`onlyTells: ${name}`, () => {
    equal(onlyTells(steps, stored, to), want, why);
  });

const was = (type: string) => next([condition(type, "True", "Any"), configured, deployed, storage]);

test("onlyTells: what was ready or stalled", () => {
  equal(onlyTells(steps, was("Ready"), stored), false, "that it is so no more is told at once");
  equal(onlyTells(steps, was("Stalled"), stored), false);
});
