import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLog } from "kube-runtime";
import type { Pool } from "./pool/pool.ts";
import { countedSizes } from "./sizes.ts";

test("a list counts each of its datasets in turn, one at a time, also when nobody lists for long", async () => {
  const counted: string[] = [];
  let atOnce = 0;
  const counting: Pick<Pool, "has" | "bytes"> = {
    has: async () => true,
    bytes: async (name) => {
      atOnce += 1;
      equal(atOnce, 1, "one after the other");
      await sleep(1);
      counted.push(name);
      atOnce -= 1;
      return { total: 10, exclusive: 1 };
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what counting needs of a pool
  const sizes = countedSizes(counting as Pool, silentLog);
  const names = ["a", "b", "c"];
  deepEqual(
    names.map((name) => sizes.known(name)),
    [undefined, undefined, undefined],
    "a list does not wait",
  );
  const until = performance.now() + 10_000;
  while (counted.length < 3 && performance.now() < until) await sleep(5);
  deepEqual(counted, names);
  deepEqual(
    names.map((name) => sizes.known(name)?.exclusive),
    [1, 1, 1],
  );
});
