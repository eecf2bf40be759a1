import { ok } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { silentLog } from "../../support/log.ts";
import { memoryApi } from "../../testing/memory-api.ts";
import { createManager } from "../create-manager.ts";
import type { Manager, ManagerOptions } from "../manager.ts";

/** A manager that runs for the length of a test. */
export async function withManager(
  options: Partial<ManagerOptions>,
  prepare: (manager: Manager) => void,
  during: (manager: Manager) => Promise<void>,
): Promise<void> {
  const manager = createManager({ name: "test", api: memoryApi(), log: silentLog, ...options });
  prepare(manager);
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  try {
    await during(manager);
  } finally {
    stop.abort(new Error("the test is over"));
    await running;
  }
}

/** Asks until it is so; fails after a minute. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await check())) {
    ok(performance.now() < endMs, "not within a minute");
    await delay(5);
  }
}
