import { equal } from "node:assert/strict";
import { test } from "node:test";
import { isShut } from "./context.ts";
import { aVdb } from "./testing.ts";
import type { Caches } from "./world.ts";

const opened = { id: "c", madeBy: "create", openedTime: "2026-01-01T00:00:00Z" };
const under = (hold: string) => ({ kind: "PostgresRefresh", name: "r", namespace: "shop", uid: "u", hold });

const rows = [
  { name: "opened", status: { content: opened }, shut: false, why: "its hooks have succeeded" },
  { name: "not opened", status: { content: { ...opened, openedTime: undefined } }, shut: true, why: "its data may be unmasked" },
  { name: "no data yet", status: {}, shut: true, why: "its hooks have not run" },
  {
    name: "an action lets it run",
    status: { content: opened, activeAction: under("none") },
    shut: false,
    why: "clients use the same data",
  },
  {
    name: "an action holds it",
    status: { content: opened, activeAction: under("stopped") },
    shut: true,
    why: "a job may have put other data in its place before the status says so",
  },
];
for (const { name, status, shut, why } of rows)
  test(`isShut: ${name}`, () => {
    const vdb = aVdb({ status: { delphixID: "h", ...status } });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it asks for nothing else
    const vdbs = { byIndex: () => [vdb] } as unknown as Caches["vdbs"];
    equal(isShut(vdbs)("h"), shut, why);
  });
