import { equal } from "node:assert/strict";
import { test } from "node:test";
import { isWorthACheckpoint } from "./worth-a-checkpoint.ts";

const [mib, redo] = [2n ** 20n, 2n ** 32n];
const walSegmentBytes = 16 * 2 ** 20;

const rows: readonly (readonly [former: bigint | undefined, position: bigint, is: boolean, why: string])[] = [
  [redo + 40n * mib, redo + 41n * mib, true, "the snapshot before has written the same 40 MiB already"],
  [redo + mib, redo + 41n * mib, true, "the next one would write the same 40 MiB again"],
  [redo, redo + 33n * mib, true, "the snapshot before ends at the checkpoint"],
  [
    redo - 1n,
    redo + 500n * mib,
    false,
    "all of it has changed since the snapshot before: the source has made a checkpoint by itself",
  ],
  [redo + 15n * mib, redo + 32n * mib, false, "a base backup has ended one segment, and the checkpoint would end another one"],
  [redo, redo, false, "nothing was written"],
  [undefined, redo + 500n * mib, false, "there is nothing to share"],
];

for (const [former, position, is, why] of rows)
  test(`${is ? "a" : "no"} checkpoint: ${why}`, () => {
    equal(isWorthACheckpoint({ redo, position, former, walSegmentBytes }), is);
  });
