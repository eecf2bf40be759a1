import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { KeyedLock } from "./keyed-lock.ts";

const never = new AbortController().signal;

test("work of one key runs one after the other, of another key at the same time", async () => {
  const locks = new KeyedLock();
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`${name} begins`);
    await turn();
    seen.push(`${name} ends`);
  };
  await Promise.all([locks.run("a", never, work("a1")), locks.run("a", never, work("a2")), locks.run("b", never, work("b1"))]);
  deepEqual(
    seen.filter((line) => line.startsWith("a")),
    ["a1 begins", "a1 ends", "a2 begins", "a2 ends"],
  );
  ok(seen.indexOf("b1 begins") < seen.indexOf("a1 ends"), "another key does not wait");
});

test("work that fails lets the next one in", async () => {
  const locks = new KeyedLock();
  const failing = locks.run("a", never, async () => await Promise.reject(new Error("first")));
  const next = locks.run("a", never, async () => "second");
  await rejects(failing, /first/u);
  equal(await next, "second");
});

test("a caller that gave up while it waited is not served", async () => {
  const locks = new KeyedLock();
  const gaveUp = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = locks.run("a", never, () => promise);
  const second = locks.run("a", gaveUp.signal, async () => "served");
  gaveUp.abort(new Error("gave up"));
  resolve();
  await first;
  await rejects(second, /gave up/u);
});
