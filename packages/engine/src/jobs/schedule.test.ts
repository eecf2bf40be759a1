import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { JobType } from "../catalogue/rows.ts";
import { choose } from "./schedule.ts";

const job = (id: string, type: JobType, target_id = id) => ({ id, type, target_id });
const rows: {
  name: string;
  why: string;
  waiting: ReturnType<typeof job>[];
  running?: ReturnType<typeof job>[];
  want: string[];
}[] = [
  { name: "nothing to do", why: "an empty list starts nothing", waiting: [], want: [] },
  {
    name: "different targets",
    why: "provisioning one VDB must not wait for another",
    waiting: [job("a", "DB_PROVISION"), job("b", "DB_PROVISION")],
    want: ["a", "b"],
  },
  {
    name: "the same target",
    why: "a deletion asked for during provisioning comes after it",
    waiting: [job("a", "DB_PROVISION", "v"), job("b", "DB_DELETE", "v")],
    want: ["a"],
  },
  {
    name: "a target that is busy",
    why: "as above, with the first one running already",
    waiting: [job("a", "DB_PROVISION", "v"), job("b", "DB_DELETE", "v")],
    running: [job("a", "DB_PROVISION", "v")],
    want: [],
  },
  {
    name: "two base backups",
    why: "they would share one disk",
    waiting: [job("a", "DB_LINK"), job("b", "DB_SYNC"), job("c", "DB_PROVISION")],
    want: ["a", "c"],
  },
  {
    name: "a later job of a waiting one's target",
    why: "a snapshot asked for before a deletion must not be overtaken by it",
    waiting: [job("a", "DB_LINK", "x"), job("b", "DB_SYNC", "y"), job("c", "DSOURCE_DELETE", "y")],
    want: ["a"],
  },
  {
    name: "more than four light ones",
    why: "a hundred clones at once would only wait for each other in the kernel",
    waiting: ["a", "b", "c", "d", "e"].map((id) => job(id, "DB_PROVISION")),
    want: ["a", "b", "c", "d"],
  },
];
for (const { name, why, waiting, running = [], want } of rows) {
  test(`choose: ${name}`, () =>
    deepEqual(
      choose(waiting, running).map(({ id }) => id),
      want,
      why,
    ));
}
