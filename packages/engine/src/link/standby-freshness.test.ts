import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { freshness } from "./standby-freshness.ts";

const at = (position: bigint) => ({ timeline: 1, position });

test("a standby is as fresh as the last point of the source that it has passed", () => {
  const fresh = freshness();
  deepEqual(fresh.now(0), {}, "nothing is known");
  fresh.answered(1_000, at(100n));
  fresh.received(40n);
  deepEqual(fresh.now(2_000), { lagBytes: 60, lastContact: new Date(1_000) }, "the first point is not passed");
  fresh.answered(16_000, at(300n));
  fresh.received(120n);
  deepEqual(fresh.now(17_000), { lagBytes: 180, lagSeconds: 16, lastContact: new Date(16_000) });
  fresh.received(300n);
  deepEqual(fresh.now(18_000), { lagBytes: 0, lagSeconds: 2, lastContact: new Date(16_000) });
  fresh.received(500n);
  deepEqual(fresh.now(60_000), { lagBytes: 0, lagSeconds: 44, lastContact: new Date(16_000) }, "nobody has answered since");
});
