import { deepEqual } from "node:assert/strict";
import { type EngineOptions, type EngineProcess, inPool, startEngineProcess, timeflowsOfVdbs } from "./engine.ts";
import type { Scratch } from "./scratch.ts";

/** Starts an engine that holds at a failpoint, does `work`, kills it there, and hands the next engine to `look`. */
export async function killedAt<T>(
  scratch: Scratch,
  options: EngineOptions,
  work: (engine: EngineProcess) => Promise<T>,
  look: (engine: EngineProcess, made: T) => Promise<void>,
): Promise<void> {
  await using held = await startEngineProcess(scratch, options);
  const made = await work(held);
  await held.logged('"msg":"stopped at a failpoint"');
  await held.kill();
  await using next = await startEngineProcess(scratch);
  await look(next, made);
}

const ids = async (all: Promise<readonly { readonly id: string }[]>): Promise<readonly string[]> =>
  (await all).map(({ id }) => id).toSorted();

/** What is in the pool is exactly what the API shows. */
export async function nothingLost(scratch: Scratch, { client }: EngineProcess): Promise<void> {
  const { standbys, ...rest } = inPool(scratch);
  const sources = await ids(client.searchDSources());
  deepEqual(
    standbys.filter((id) => !sources.includes(id)),
    [],
  );
  deepEqual(rest, {
    vdbs: await ids(client.searchVdbs()),
    timeflows: await timeflowsOfVdbs(client),
    snapshots: await ids(client.searchSnapshots()),
    work: [],
  });
}
