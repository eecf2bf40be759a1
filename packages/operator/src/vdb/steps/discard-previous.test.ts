import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Bytes, Place } from "../../data/content-store.ts";
import type { Discard } from "../../data/source.ts";
import { quietContent } from "../../data/testing/quiet-content.ts";
import { forever, stepBench } from "../step-bench.ts";
import { discardPrevious } from "./discard-previous.ts";

const previous = { id: "c1", madeBy: "create", handle: "h", timeflow: "tf-1", until: "2026-01-01T00:00:00Z" };
const kept = { kind: "kept", message: "DCT does not answer" } as const;
const rows: {
  name: string;
  why: string;
  until?: string;
  answer: Discard;
  want: readonly [asked: number, recheckSeconds: number | undefined, previous: boolean, events: readonly string[]];
}[] = [
  {
    name: "gone",
    why: "the status says so after it is",
    answer: { kind: "gone" },
    want: [1, undefined, false, ["PreviousDiscarded"]],
  },
  { name: "under way", why: "its end is awaited", answer: { kind: "underWay" }, want: [1, 2, true, []] },
  {
    name: "kept",
    why: "it is said and tried again, and the database goes on",
    answer: kept,
    want: [1, 60, true, ["PreviousKept"]],
  },
  { name: "not yet", why: "nobody is asked", until: "2026-01-01T01:00:00Z", answer: kept, want: [0, 3600, true, []] },
];
for (const { name, why, until = previous.until, answer, want } of rows)
  test(name, async () => {
    const asked: unknown[] = [];
    const discard = async (_: Place, { handle, timeflow }: Bytes): Promise<Discard> => {
      asked.push([handle, timeflow]);
      return answer;
    };
    const content = { ...quietContent, discard };
    const { ctx, events } = await stepBench({ status: { previous: { ...previous, until } }, source: { content } });
    const outcome = await discardPrevious.run(ctx, forever);
    const again =
      outcome.kind === "done" && outcome.again !== undefined && "recheckSeconds" in outcome.again ? outcome.again : undefined;
    deepEqual([asked.length, again?.recheckSeconds, ctx.run.status.previous !== undefined, events], want, why);
    deepEqual([outcome.kind, asked[0] ?? ["h", "tf-1"]], ["done", ["h", "tf-1"]]);
  });
