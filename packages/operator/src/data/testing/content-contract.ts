/** The laws of ContentStore: every implementation runs them, over the client seam. */
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { PostgresVDB, VdbContent } from "@vdb/api";
import type { Outcome } from "kube-runtime";
import { ActionFailed } from "../action-failed.ts";
import { type Bytes, type ContentStore, hasSameBytes, type Standing, type Work } from "../content-store.ts";
import type { Discard } from "../source.ts";

/** One open database, with its data, on a storage that answers; a fresh one for each test. */
export interface ContentSubject {
  readonly store: ContentStore;
  /**
   * Whether the storage changes data where it is, at the cut-over. If not, new data has a claim of its own, made by `prepare`: which
   * of the claims a database has its status alone says, so that nothing has to be asked or given back.
   */
  readonly inPlace: boolean;
  /**
   * The database with this in its status, and an action of that uid; its content says claim, handle and what `present` has told.
   * Nothing has its data open.
   */
  readonly work: (status: Partial<PostgresVDB["status"]>, uid?: string) => Work;
  readonly first: VdbContent;
  /** Marks of the data that is in the place of a content now; undefined: there is none any more. */
  readonly dataOf: (content: Bytes) => string | undefined;
  /** How many changes the storage has begun. */
  readonly changes: () => number;
  /** From now on nobody there answers. */
  readonly breakDown: () => void;
}

const { signal } = new AbortController();
const refresh = { change: "refresh", ref: undefined } as const;

export function contentContract(name: string, subject: () => ContentSubject): void {
  void test(`${name}: until the cut-over nothing is changed; then the new data is there, and the old beside it`, async () => {
    const { store, work, first, dataOf } = subject();
    const before = dataOf(first);
    const { text, snapshot } = await store.choose(work({ content: first }), refresh, signal);
    ok(text.length <= 1024 && !text.includes("\n") && snapshot.readyToUse);
    const present = { ...first, ...store.present(text) };
    await carryOut(store.prepare, work({ content: present }), text);
    deepEqual([dataOf(first), (await standing(store, work({ content: present }))).kind], [before, "asRecorded"]);
    const effect = await carryOut(store.cutOver, work({ content: present }), text);
    const { dataTimestamp, takenOpen: _, ...bytes } = await store.brought(work({ content: present }), effect, signal);
    ok(dataTimestamp !== undefined && !hasSameBytes(bytes, present));
    equal(dataOf(present), before, "the old data exists and never changes");
    notEqual(dataOf(bytes), before);
  });

  void test(`${name}: what has begun is found again, and not begun twice`, async () => {
    const { store, inPlace, work, first, changes } = subject();
    const { text } = await store.choose(work({ content: first }), refresh, signal);
    if (inPlace) await carryOut(store.prepare, work({ content: first }), text);
    const deed = inPlace ? store.cutOver : store.prepare;
    equal(await deed.look(work({ content: first }), text, signal), undefined);
    const effect = await deed.begin(work({ content: first }), text, signal);
    const [found, begun] = [await deed.look(work({ content: first }), text, signal), changes()];
    ok(found !== undefined);
    for (const one of [effect, found, effect]) await end(async () => await deed.end(work({ content: first }), one, signal));
    equal(changes(), begun);
  });

  void test(`${name}: a vanished action: the storage says which data it has`, async () => {
    const { store, inPlace, work, first } = subject();
    const { present, next, effect } = await changed(store, work, first);
    const unwritten = await standing(store, work({ content: present }));
    if (inPlace) deepEqual(unwritten.kind === "changed" && hasSameBytes(unwritten.bytes, next), true, "its swap was not written");
    else equal(unwritten.kind, "asRecorded");
    const activeAction = { kind: "VDBRefresh", name: "monday", namespace: "shop", uid: "u", replaced: present };
    const swapped = { content: next, activeAction };
    equal((await standing(store, work(swapped))).kind, "asRecorded");
    equal(await store.isCutOver(work(swapped), effect, signal), inPlace);
    await end(async () => await store.giveBack(work(swapped), effect, false, signal));
    equal(await store.isCutOver(work(swapped), effect, signal), false);
    equal((await standing(store, work(swapped))).kind, inPlace ? "givenBack" : "asRecorded", "the return was not written");
    equal((await standing(store, work({ content: first, activeAction }))).kind === "changed", false);
  });

  void test(`${name}: given back, the old data is as its content says; nothing of the new is left; both may be repeated`, async () => {
    const { store, work, first, dataOf } = subject();
    const before = dataOf(first);
    const { present, next, effect } = await changed(store, work, first);
    const activeAction = { kind: "VDBRefresh", name: "monday", namespace: "shop", uid: "u", replaced: present };
    const swapped = { content: next, activeAction };
    for (let i = 0; i < 2; i += 1) await end(async () => await store.giveBack(work(swapped), effect, false, signal));
    equal(dataOf(present), before);
    for (let i = 0; i < 2; i += 1) await gone(async () => await store.clear(work({ content: present }), signal));
    deepEqual([dataOf(next), dataOf(present)], [undefined, before]);
  });

  void test(`${name}: previous is the data that the status names, whatever came and went since`, async () => {
    const { store, work, first, dataOf } = subject();
    const old = await changed(store, work, first);
    const previous = old.present;
    const failed = await changed(store, work, old.next, { previous, uid: "second" });
    await end(async () => await store.giveBack(work({ content: failed.next, previous }), failed.effect, false, signal));
    const wanted = { change: "rewind", ref: { type: "previous" } } as const;
    const chosen = await store.choose(work({ content: old.next, previous }), wanted, signal);
    const effect = await carryOut(store.cutOver, work({ content: old.next, previous }), chosen.text);
    const back = await store.brought(work({ content: old.next, previous }), effect, signal);
    equal(hasSameBytes(back, previous), true);
    equal(dataOf(back), dataOf(previous));
    equal(back.takenOpen, true, "it was open");
  });

  void test(`${name}: discard deletes a content's bytes, those alone, and once`, async () => {
    const { store, work, first, dataOf } = subject();
    const { present, next } = await changed(store, work, first);
    const present2 = work({ content: next, previous: present });
    const now = dataOf(next);
    for (let i = 0; i < 2; i += 1) await gone(async () => await store.discard(present2, present, signal));
    deepEqual([dataOf(present), dataOf(next)], [undefined, now]);
  });

  void test(`${name}: what the status names is never cleared away`, async () => {
    const { store, work, first, dataOf } = subject();
    const { present, next } = await changed(store, work, first);
    const activeAction = { kind: "VDBRefresh", name: "monday", namespace: "shop", uid: "u", replaced: present };
    for (const status of [
      { content: next, previous: present },
      { content: next, activeAction },
    ])
      await gone(async () => await store.clear(work(status), signal));
    ok(dataOf(present) !== undefined && dataOf(next) !== undefined);
  });

  void test(`${name}: what is not there is refused for good, and nothing has changed`, async () => {
    const { store, work, first, changes } = subject();
    for (const wanted of [
      { change: "refresh", ref: { type: "dct-snapshot", name: "nowhere" } },
      { change: "refresh", ref: { type: "volume-snapshot", name: "nowhere" } },
      { change: "rewind", ref: { type: "previous" } },
    ] as const)
      await rejects(store.choose(work({ content: first }), wanted, signal), (error) => {
        ok(error instanceof ActionFailed);
        match(error.reason, /^Snapshot/u);
        return true;
      });
    equal(changes(), 0);
  });

  void test(`${name}: an outage is thrown; where nothing depends on it, it is an answer`, async () => {
    const { store, inPlace, work, first, breakDown } = subject();
    const { present, next } = await changed(store, work, first);
    const swapped = work({ content: next, previous: present });
    breakDown();
    await rejects(store.choose(swapped, refresh, signal), (error) => !(error instanceof ActionFailed));
    if (inPlace) await rejects(store.standing(swapped, signal), (error) => !(error instanceof ActionFailed));
    if (!inPlace) {
      // What keeps the claims is the API server, without which nothing goes on.
      await rejects(store.discard(swapped, present, signal));
      await rejects(store.clear(swapped, signal));
      return;
    }
    equal((await store.discard(swapped, present, signal)).kind, "kept");
    equal((await store.clear(swapped, signal)).kind, "kept");
    equal((await store.needed(["snapshot"], signal)).kind, "untold");
  });
}

/** After a refresh of which nothing but the present data's own words is written. */
async function changed(
  store: ContentStore,
  work: ContentSubject["work"],
  content: VdbContent,
  { previous, uid }: { readonly previous?: VdbContent; readonly uid?: string } = {},
) {
  const status = (one: VdbContent) => work({ content: one, ...(previous === undefined ? {} : { previous }) }, uid);
  const { text } = await store.choose(status(content), refresh, signal);
  const present: VdbContent = { ...content, ...store.present(text) };
  await carryOut(store.prepare, status(present), text);
  const effect = await carryOut(store.cutOver, status(present), text);
  const { takenOpen: _, ...brought } = await store.brought(status(present), effect, signal);
  const next: VdbContent = { id: `after ${content.id}`, madeBy: "refresh", ...brought };
  return { present, next, effect };
}

async function carryOut(deed: ContentStore["cutOver"], work: Work, intent: string): Promise<string> {
  const effect = (await deed.look(work, intent, signal)) ?? (await deed.begin(work, intent, signal));
  await end(async () => await deed.end(work, effect, signal));
  return effect;
}

const standing = async (store: ContentStore, work: Work): Promise<Standing> => await store.standing(work, signal);

/** Asks until it is done; a store that never comes to an end fails. */
async function end(ask: () => Promise<Outcome>): Promise<void> {
  for (let i = 0; i < 20; i += 1) {
    const outcome = await ask();
    if (outcome.kind === "done") return;
    notEqual(outcome.kind, "terminal", outcome.message);
  }
  throw new Error("it does not come to an end");
}
async function gone(ask: () => Promise<Discard>): Promise<void> {
  for (let i = 0; i < 20; i += 1) {
    const left = await ask();
    if (left.kind === "gone") return;
    equal(left.kind, "underWay");
  }
  throw new Error("it does not go");
}
