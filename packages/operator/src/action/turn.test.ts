import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { type Claimant, type Holder, turnOf } from "./turn.ts";

const claimant = (uid: string, second: number, more: Partial<Claimant> = {}): Claimant => ({
  kind: "PostgresTask",
  name: `task-${uid}`,
  namespace: "shop",
  uid,
  creationTimestamp: `2026-01-01T00:00:0${second}Z`,
  arrival: 7n,
  isInLine: true,
  ...more,
});
const holder = (uid: string, holds = false): Holder => ({ ...claimant(uid, 0), holds });
const me = claimant("m", 5);

const rows: {
  readonly name: string;
  readonly holder?: Holder;
  readonly others?: readonly Claimant[];
  readonly want: string;
  readonly why: string;
}[] = [
  { name: "nobody else", want: "free", why: "there is nobody to wait for" },
  { name: "it is ours", holder: holder("m"), others: [claimant("a", 1)], want: "ours", why: "what was taken stays taken" },
  {
    name: "another has it",
    holder: holder("z"),
    others: [claimant("z", 9)],
    want: "task-z",
    why: "one at a time, younger or not",
  },
  { name: "an older one waits", others: [claimant("b", 2), claimant("a", 1)], want: "task-a", why: "the oldest is next" },
  { name: "a younger one waits", others: [claimant("z", 6)], want: "free", why: "it waits for us" },
  {
    name: "created in the same second, and seen to have come before",
    others: [claimant("z", 5, { arrival: 6n }), claimant("a", 5, { arrival: 8n })],
    want: "task-z",
    why: "one kubectl apply creates several in a second: they run in its order",
  },
  {
    name: "created in the same second, seen to come later",
    others: [claimant("a", 5, { arrival: 8n })],
    want: "free",
    why: "it waits for us",
  },
  { name: "nothing tells which came first", others: [claimant("a", 5)], want: "task-a", why: "the uid decides" },
  { name: "the same the other way round", others: [claimant("z", 5)], want: "free", why: "the uid decides, for both alike" },
  {
    name: "an older one waits for its database",
    others: [claimant("a", 1, { isInLine: false })],
    want: "free",
    why: "a task that cannot run must not keep a refresh that mends the database",
  },
  { name: "the holder is gone", holder: holder("gone"), want: "free", why: "nobody would ever leave its turn" },
  {
    name: "the holder is gone and the database holds something for it",
    holder: holder("gone", true),
    want: "task-gone",
    why: "the replaced data has to be put back or discarded first, by the database",
  },
];
for (const { name, holder: held, others = [], want, why } of rows)
  test(`turnOf: ${name}`, () => {
    const turn = turnOf(me, held, others);
    deepEqual(turn.kind === "behind" ? turn.who.name : turn.kind, want, why);
  });
