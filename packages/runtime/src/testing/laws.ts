import { deepEqual, equal } from "node:assert/strict";
import type { Api } from "../client/api.ts";
import { describeCall } from "../client/call-path.ts";
import { changesState, crashAt, type FaultyApi, faultyApi } from "./faults.ts";

/** A world in which a reconciler works: an API server with objects in it, and whatever lies outside of it. */
export interface World extends AsyncDisposable {
  readonly api: Api;
  /** One life of a process: reconciles through this api until nothing is left to do, or until the api has crashed. */
  readonly live: (api: Api) => Promise<void>;
  /** What people see in the end, without names or times that differ from run to run. */
  readonly outcome: () => Promise<unknown>;
}

export type MakeWorld = () => Promise<World>;

/** Law: when everything is as it should be, a process that starts anew writes nothing. */
export async function secondRunWritesNothing(make: MakeWorld): Promise<void> {
  await using world = await make();
  await live(world, world.api);
  const second = await live(world, world.api);
  deepEqual(describeWrites(second), [], "a second run over a finished world wrote");
}

/**
 * Law: whichever call a process dies at, before or after it took effect, the next process brings the world to the same end.
 * Gives the number of calls at which it was tried.
 */
export async function crashAtEveryCallConverges(make: MakeWorld): Promise<number> {
  const { calls, want } = await undisturbed(make);
  for (let number = 1; number <= calls; number += 1) {
    for (const when of ["before", "after"] as const) {
      await using world = await make();
      const crashing = faultyApi(world.api, crashAt(number, when));
      await world.live(crashing).catch((error: unknown) => {
        if (!crashing.crashed()) throw error;
      });
      await live(world, world.api);
      deepEqual(await world.outcome(), want, `after a crash ${when} call ${number} (${nameOf(crashing, number)})`);
      deepEqual(describeWrites(await live(world, world.api)), [], `after a crash ${when} call ${number} it never comes to rest`);
    }
  }
  return calls;
}

/** Law: a call that fails once, with any of these errors, changes nothing about the end. */
export async function oneFailureConverges(make: MakeWorld, failures: Parameters<typeof faultyApi>[1][]): Promise<void> {
  const { want } = await undisturbed(make);
  for (const [at, plan] of failures.entries()) {
    await using world = await make();
    await world.live(faultyApi(world.api, plan));
    deepEqual(await world.outcome(), want, `with failure plan ${at}`);
  }
}

async function undisturbed(make: MakeWorld): Promise<{ readonly calls: number; readonly want: unknown }> {
  await using world = await make();
  const api = await live(world, world.api);
  const want = await world.outcome();
  deepEqual(await world.outcome(), want, "the outcome is not the same when asked twice");
  equal(api.crashed(), false);
  return { calls: api.calls().length, want };
}

async function live(world: World, api: Api): Promise<FaultyApi> {
  const counted = faultyApi(api, () => undefined);
  await world.live(counted);
  return counted;
}

const describeWrites = (api: FaultyApi): readonly string[] => api.calls().filter(changesState).map(describeCall);

function nameOf(api: FaultyApi, number: number): string {
  const call = api.calls()[number - 1];
  return call === undefined ? "never made" : describeCall(call);
}
