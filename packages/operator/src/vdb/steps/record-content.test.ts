import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { contentId, stepBench } from "../step-bench.ts";
import { recordContent } from "./record-content.ts";

const dated = "2026-01-01T00:00:00Z";
const fresher = "2026-01-02T00:00:00Z";
const resolved = {
  dataTimestamp: dated,
  source: { type: "dct-source", name: "production", snapshotId: "s1", snapshotName: "@1" },
};
const refreshed = { id: "c2", claimName: "orders-c2", handle: "h", madeBy: "refresh" };

describe("recordContent", () => {
  test("data that is being made takes snapshot and age from its source", async () => {
    const { ctx } = await stepBench({ status: resolved });
    recordContent(ctx, { claimName: "orders-c1" });
    const { content, pvcName } = ctx.run.status;
    deepEqual(content, {
      id: contentId,
      madeBy: "create",
      claimName: "orders-c1",
      dataTimestamp: dated,
      snapshot: { id: "s1", name: "@1" },
    });
    equal(pvcName, "orders-c1");
  });

  test("what an action put in its place keeps its own snapshot and age, and the columns follow", async () => {
    const content = { ...refreshed, dataTimestamp: fresher, snapshot: { id: "s2", name: "@2" } };
    const { ctx } = await stepBench({ status: { ...resolved, pvcName: "orders-c1", content } });
    recordContent(ctx, { claimName: "orders-c2" });
    const { status } = ctx.run;
    deepEqual(status.content, content);
    deepEqual(
      [status.pvcName, status.dataTimestamp, status.source?.name, status.source?.snapshotId, status.source?.snapshotName],
      ["orders-c2", fresher, "production", "s2", "@2"],
    );
  });

  test("the age of other data is not shown as its own", async () => {
    const { ctx } = await stepBench({ status: { ...resolved, content: refreshed } });
    recordContent(ctx, {});
    const { status } = ctx.run;
    deepEqual([status.content, status.dataTimestamp, status.source?.snapshotId], [refreshed, undefined, undefined]);
  });
});
