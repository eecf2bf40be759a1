import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { DctError, DctNotConfigured } from "@vdb/dct";
import { dctFailure, explainDct } from "./failure.ts";

test("a failure of DCT: what a person has to mend, and what may pass", () => {
  const rows = [
    [new DctNotConfigured("empty"), "DctNotConfigured", true],
    [new DctError("unreachable", "refused"), "DctUnreachable", false],
    [new DctError("unauthorized", "key"), "DctUnauthorized", true],
    [new DctError("refused", "no"), "DctFailed", true],
    [new DctError("server", "500"), "DctFailed", false],
    [new DctError("throttled", "429"), "DctFailed", false],
  ] as const;
  for (const [error, reason, person] of rows) {
    const failure = dctFailure(error);
    deepEqual([failure?.reason, failure?.person], [reason, person]);
    const explained = explainDct(error);
    deepEqual([explained?.kind, explained?.reason], [person ? "terminal" : "after", reason]);
    deepEqual(explained?.kind === "waiting" ? undefined : explained?.again, { backOff: true }, "either is looked at again");
  }
  equal(dctFailure(new TypeError("a bug")), undefined);
  equal(explainDct(new TypeError("a bug")), undefined);
});
