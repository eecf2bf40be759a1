/** What the engine has started ends with it, whatever moment it is killed at: a server that is left would write beside the next one. */
import { equal } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isFullTier } from "kube-runtime/testing";

const child = new URL("../src/link/child.ts", import.meta.url).href;
const starts = (marker: string): string => `
  const { spawnAsOwner } = await import(${JSON.stringify(child)});
  process.stdout.write("now");
  spawnAsOwner("/bin/sleep", ["${marker}"], { onLine: () => {} });
  setInterval(() => {}, 1000);`;
/** Stands still for as long as the engine lives. */
const pauses = (marker: string): string => `
  const { spawnAsOwner } = await import(${JSON.stringify(child)});
  const one = spawnAsOwner("/bin/sleep", ["${marker}"], { onLine: () => {} });
  while (!one.titles().includes("/bin/sleep ${marker}")) await new Promise((resolve) => setTimeout(resolve, 10));
  await one.paused(() => new Promise(() => process.stdout.write("now")));`;

/** Processes of which an argument says this. */
const withArgument = (marker: string): readonly string[] =>
  globSync("/proc/[0-9]*/cmdline").filter((file) => {
    try {
      return readFileSync(file, "utf8").split("\0").includes(marker);
    } catch {
      return false; // it has ended meanwhile
    }
  });

test("killed while it starts a program, it leaves none", { timeout: 300_000 }, async () => {
  const marker = `86${process.pid}`;
  const runs = isFullTier ? 200 : 40;
  for (let run = 0; run < runs; run += 4)
    await Promise.all(
      Array.from({ length: 4 }, async (_, nth) => {
        await killedAfter(starts(marker), (run + nth) % 20);
      }),
    );
  await noneIsLeft(marker);
});

test("killed while a program stands still for a clone, it leaves none", { timeout: 60_000 }, async () => {
  const marker = `87${process.pid}`;
  await killedAfter(pauses(marker), 0);
  await noneIsLeft(marker);
});

/** An engine that does this, and says when. */
async function killedAfter(script: string, ms: number): Promise<void> {
  const engine = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(engine, "exit");
  await once(engine.stdout, "data");
  await sleep(ms);
  engine.kill("SIGKILL");
  await ended;
}

async function noneIsLeft(marker: string): Promise<void> {
  for (let left = 100; left > 0 && withArgument(marker).length > 0; left -= 1) await sleep(100);
  equal(withArgument(marker).length, 0);
}
