import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { aVdb } from "../testing.ts";
import { fateOfPrevious, type PreviousFate } from "./previous.ts";

const now = Date.parse("2026-01-02T00:00:00Z");
const old = { id: "c1", madeBy: "create" };
const over = { ...old, until: "2026-01-02T00:00:00Z" };
const activeAction = { kind: "VDBRewind", name: "back", namespace: "shop", uid: "u" };

const rows: { name: string; why: string; status: object; want: PreviousFate }[] = [
  { name: "none", why: "nothing can go", status: {}, want: { kind: "stays" } },
  { name: "without an end", why: "it was not the user who gave it up", status: { previous: old }, want: { kind: "stays" } },
  {
    name: "before its end",
    why: "asked again exactly then",
    status: { previous: { ...old, until: "2026-01-02T00:01:30Z" } },
    want: { kind: "staysFor", seconds: 90 },
  },
  {
    name: "a year before its end",
    why: "asked once",
    status: { previous: { ...old, until: "2027-01-02T00:00:00Z" } },
    want: { kind: "staysFor", seconds: 365 * 86_400 },
  },
  { name: "at its end", why: "nobody may return to it any more", status: { previous: over }, want: { kind: "goes" } },
  {
    name: "at its end while an action works",
    why: "that action may return to it",
    status: { previous: over, activeAction, delphixID: "v" },
    want: { kind: "stays" },
  },
];
for (const { name, why, status, want } of rows) test(name, () => deepEqual(fateOfPrevious(aVdb({ status }), now), want, why));
