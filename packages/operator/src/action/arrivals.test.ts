import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { ActionObject } from "@vdb/api";
import { createArrivals } from "./arrivals.ts";

const action = (uid: string, resourceVersion: string): ActionObject =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is asked for
  ({ metadata: { uid, resourceVersion } }) as ActionObject;

test("what an action was first seen with stays, however often it is written, until it is the only one", () => {
  const arrivals = createArrivals();
  const first = arrivals("shop/orders", [action("z", "9"), action("a", "10")]);
  deepEqual(
    [...first],
    [
      ["z", 9n],
      ["a", 10n],
    ],
  );
  const later = arrivals("shop/orders", [action("a", "11"), action("z", "14"), action("b", "12")]);
  deepEqual(
    [...later],
    [
      ["a", 10n],
      ["z", 9n],
      ["b", 12n],
    ],
  );
  deepEqual([...arrivals("shop/other", [action("a", "20")])], [["a", 20n]], "of another database nothing is known");
  arrivals("shop/orders", [action("b", "13")]);
  deepEqual(
    [...arrivals("shop/orders", [action("b", "15"), action("c", "14")])],
    [
      ["b", 15n],
      ["c", 14n],
    ],
  );
});
