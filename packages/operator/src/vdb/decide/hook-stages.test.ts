import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { HookStage, VdbContent } from "@vdb/api";
import { hookStagesFor } from "./hook-stages.ts";

const all: readonly HookStage[] = ["post-create", "post-refresh", "post-rewind"];
const rows: readonly {
  readonly name: string;
  readonly content?: Pick<VdbContent, "madeBy" | "takenOpen">;
  readonly hooks?: readonly HookStage[];
  readonly want: readonly HookStage[];
}[] = [
  { name: "the first data", want: ["post-create"] },
  { name: "created data", content: { madeBy: "create" }, want: ["post-create"] },
  { name: "refreshed data", content: { madeBy: "refresh" }, want: ["post-refresh"] },
  { name: "a state that was open", content: { madeBy: "rewind", takenOpen: true }, want: ["post-rewind"] },
  { name: "a state of before", content: { madeBy: "rewind", takenOpen: false }, want: ["post-refresh", "post-rewind"] },
  { name: "a state of which nothing is known", content: { madeBy: "rewind" }, want: ["post-refresh", "post-rewind"] },
  {
    name: "the same where only post-create masks",
    content: { madeBy: "rewind" },
    hooks: ["post-create", "post-rewind"],
    want: ["post-create", "post-rewind"],
  },
];
for (const { name, content, hooks = all, want } of rows)
  test(`hook stages: ${name}`, () => {
    const given = hooks.map((stage) => ({ stage }));
    deepEqual(hookStagesFor(content, given), want);
  });
