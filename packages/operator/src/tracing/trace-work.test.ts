import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { CacheEvent } from "kube-runtime";
import { type Span, type Traced, traceWork } from "./trace-work.ts";

const created = "2026-01-01T00:00:00Z";
const createdMs = Date.parse(created);

const object = (phase: string, ready?: string, generation = 1): Traced => ({
  apiVersion: "core.delphix.com/v1alpha1",
  kind: "PostgresVDB",
  metadata: { name: "orders", namespace: "shop", uid: "u", creationTimestamp: created, resourceVersion: "1", generation },
  status: {
    phase,
    conditions:
      ready === undefined
        ? []
        : [{ type: "Ready", status: ready === "Up" ? "True" : "False", reason: ready, message: "", lastTransitionTime: created }],
  },
});
const origin = undefined;
const deleted = (phase: string): CacheEvent<Traced> => ({ type: "deleted", object: object(phase), origin });
const added = (phase: string, initial = false): CacheEvent<Traced> => ({ type: "added", object: object(phase), initial, origin });
const updated = (before: Traced, after: Traced): CacheEvent<Traced> => ({ type: "updated", before, object: after, origin });

/** Runs events a second apart, from ten seconds after the creation; lines as `name begin-end`, in seconds since then, children indented. */
function told(events: readonly CacheEvent<Traced>[]): readonly string[] {
  const lines: string[] = [];
  const clock = { ms: createdMs + 10_000 };
  const at = (ms: number): string => String((ms - createdMs) / 1000);
  const on = traceWork(
    {
      begin: (name, _attributes, startMs, parent) => {
        const line = lines.push("") - 1;
        const indent = parent === undefined ? "" : "  ";
        const begun = `${indent}${name} ${at(startMs)}-`;
        lines[line] = begun;
        const span: Span = {
          note: (note, { reason }, ms) => void lines.push(`${indent}  ${note} ${String(reason)} ${at(ms)}`),
          end: (ms, failure) => {
            lines[line] = `${begun}${at(ms)}${failure === undefined ? "" : ` ${failure}`}`;
          },
        };
        return span;
      },
    },
    () => clock.ms,
  );
  for (const event of events) {
    on(event);
    clock.ms += 1000;
  }
  return lines;
}

const rows: readonly { name: string; why: string; events: readonly CacheEvent<Traced>[]; want: readonly string[] }[] = [
  {
    name: "created, Ready",
    why: "the time before the operator saw it is a part of it",
    events: [added(""), updated(object(""), object("Pending")), updated(object("Pending"), object("Ready", "Up"))],
    want: ["PostgresVDB create 0-12", "  New 10-11", "  Pending 11-12", "  Ready Up 12"],
  },
  {
    name: "failed, and mended by an edit",
    why: "Error ends a trace, and what a person does about it is another one",
    events: [
      added("Pending"),
      updated(object("Pending"), object("Error", "SourceNotFound")),
      updated(object("Error", "SourceNotFound"), object("Error", "SourceNotFound", 2)),
      updated(object("Error", "SourceNotFound", 2), object("Pending", "Waits", 2)),
      updated(object("Pending", "Waits", 2), object("Ready", "Up", 2)),
    ],
    want: [
      "PostgresVDB create 0-11 SourceNotFound",
      "  Pending 10-11 SourceNotFound",
      "  Ready SourceNotFound 11",
      "PostgresVDB update 13-14",
      "  Pending 13-14",
      "  Ready Waits 13",
      "  Ready Up 14",
    ],
  },
  {
    name: "seen in the middle by a new leader",
    why: "the work began when the object was created, its phase at a moment that nobody knows",
    events: [added("Deploying", true), updated(object("Deploying"), object("Ready", "Up"))],
    want: ["PostgresVDB create 0-11", "  Deploying 10-11", "  Ready Up 11"],
  },
  { name: "at rest when first seen", why: "nothing is worked on", events: [added("Ready", true)], want: [] },
  {
    name: "deleted in the middle",
    why: "a span that never ends is never sent",
    events: [added("Pending"), deleted("Pending")],
    want: ["PostgresVDB create 0-11", "  Pending 10-11"],
  },
  { name: "deleted at rest", why: "nothing is worked on", events: [deleted("Ready")], want: [] },
];
for (const { name, why, events, want } of rows)
  test(`traces: ${name}`, () => deepEqual(told(events).toSorted(byLine(want)), want, why));

/** Notes are told when they happen: their place among the spans does not matter. */
const byLine =
  (want: readonly string[]) =>
  (left: string, right: string): number =>
    want.indexOf(left) - want.indexOf(right);

test("a trace has one root, and its phases are its children", () => {
  const parents: (Span | undefined)[] = [];
  const span: Span = { note: () => undefined, end: () => undefined };
  const on = traceWork(
    {
      begin: (_name, _attributes, _startMs, parent) => {
        parents.push(parent);
        return span;
      },
    },
    () => createdMs,
  );
  on(added("Pending"));
  equal(parents.length, 2);
  ok(parents[0] === undefined && parents[1] === span);
});
