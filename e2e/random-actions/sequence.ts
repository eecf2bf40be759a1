/** One sequence of actions on one database under a client that writes all the time, each perhaps with a kill in the middle. */
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type Json, type Kubectl, text } from "@vdb/cluster";
import { enginePods, killPods, operatorPods, type Pods, podsOf } from "../pods.ts";
import { answerOf, type Endpoint } from "../soak/writer.ts";
import { applyVdb, condition, makePasswordSecret, runAction, setEnabled, type VdbOptions, waitForPhase } from "../vdb.ts";
import { type Client, startClient, table } from "./client.ts";
import { between, empty, type State } from "./history.ts";
import type { Step, Victim } from "./plan.ts";

type Scene = {
  readonly kubectl: Kubectl;
  readonly vdb: VdbOptions & { readonly namespace: string };
  readonly client: Client;
  /** By the snapshot's name; `previous` is the data that the last action replaced. */
  readonly points: Map<string, State>;
};

/** What was wrong, by lines. */
export async function runSequence(kubectl: Kubectl, vdb: Scene["vdb"], steps: readonly Step[]): Promise<readonly string[]> {
  const endpoint = await makeDatabase(kubectl, vdb);
  const stopping = new AbortController();
  const { client, done } = startClient(endpoint, ["made", empty], stopping.signal);
  const scene = { kubectl, vdb, client, points: new Map<string, State>() };
  try {
    await serving(scene);
    for (const [at, step] of steps.entries()) {
      const name = `${vdb.name}-${at + 1}-${step.operation}`;
      const killed = step.kill === undefined ? "" : `, ${step.kill.victim} killed after ${step.kill.afterMs} ms`;
      console.log(`${name}${killed}`);
      await Promise.all([carryOut(scene, name, step), strike(scene, step)]);
      await waitForPhase(kubectl, vdb, "Ready");
      await serving(scene);
      if (client.faults.length > 0) break;
    }
  } finally {
    stopping.abort();
    await done;
  }
  return client.faults;
}

async function makeDatabase(kubectl: Kubectl, vdb: Scene["vdb"]): Promise<Endpoint> {
  const password = await makePasswordSecret(kubectl, vdb);
  const hooks = ["post-create", "post-refresh"].map((stage) => ({ name: "table", stage, script: table }));
  await applyVdb(kubectl, { ...vdb, spec: { ...vdb.spec, hooks } });
  await waitForPhase(kubectl, vdb, "Ready");
  const service = await kubectl.get("service", vdb.name, vdb.namespace);
  const endpoint = { address: text(service, "spec", "clusterIP"), port: 5432, password };
  await eventually(`${vdb.name} answers through its Service`, 30, async () => await answerOf(endpoint, "SELECT 1"));
  return endpoint;
}

/** Until the client has written a few more rows. */
async function serving({ vdb, client }: Scene): Promise<void> {
  const enough = client.everAcknowledged.size + 5;
  await eventually(`${vdb.name} serves its client`, 120, async () => {
    if (client.everAcknowledged.size >= enough) return true;
    throw new Error(client.lastTrouble);
  });
}

async function carryOut(scene: Scene, name: string, step: Step): Promise<void> {
  switch (step.operation) {
    case "snapshot":
      return await takeSnapshot(scene, name);
    case "refresh":
      return await replace(scene, name, step, { kind: "VDBRefresh", spec: {}, state: empty });
    case "rewind":
      return await rewind(scene, name, step);
    case "failing-refresh":
      return await failRefresh(scene, name);
    case "disable":
      return await disable(scene);
    default:
      return step.operation satisfies never;
  }
}

const stateOf = ({ histories, at }: Client): State => histories.get([...at][0] ?? "") ?? empty;

async function takeSnapshot(scene: Scene, name: string): Promise<void> {
  const begin = stateOf(scene.client);
  equalPhase(await act(scene, "VDBSnapshot", name, {}), "Completed");
  scene.points.set(name, between(begin, stateOf(scene.client)));
}

async function rewind(scene: Scene, name: string, step: Step): Promise<void> {
  const all = [...scene.points];
  const [point, state] = all[Math.floor(step.choice * all.length)] ?? ["", empty];
  const snapshotRef = point === "previous" ? { type: "previous" } : { type: "volume-snapshot", name: point };
  await replace(scene, name, step, { kind: "VDBRewind", spec: { snapshotRef }, state });
}

/** What brings the database to another state. */
type Replacement = { readonly kind: string; readonly spec: object; readonly state: State };

async function replace(scene: Scene, name: string, { kill }: Step, { kind, spec, state }: Replacement): Promise<void> {
  const { client, points } = scene;
  const before = [...client.at][0] ?? "";
  client.offered.set(name, state);
  const found = await act(scene, kind, name, spec);
  // A hook whose pod is killed may have taken effect in part: then the old data comes back, and nothing else may be seen.
  if (kill?.victim === "database" && condition(found, "RolledBack")?.reason === "RolledBack") {
    client.offered.delete(name);
    return;
  }
  equalPhase(found, "Completed");
  await eventually(`the client is at ${name}`, 120, async () => {
    if (client.at.has(name)) return true;
    throw new Error(`it is at ${[...client.at].join()}; ${client.lastTrouble}; ${client.faults.join("; ")}`);
  });
  client.at = new Set([name]);
  points.set("previous", client.histories.get(before) ?? empty);
}

/** Its script fails on the new data, so that the old comes back. */
async function failRefresh(scene: Scene, name: string): Promise<void> {
  equalPhase(await act(scene, "PostgresRefresh", name, { postRefresh: { content: "SELECT 1/0" } }), "Error");
}

async function disable({ kubectl, vdb }: Scene): Promise<void> {
  await setEnabled(kubectl, vdb, false);
  await waitForPhase(kubectl, vdb, "Stopped");
  await setEnabled(kubectl, vdb, true);
}

const act = async ({ kubectl, vdb }: Scene, kind: string, name: string, spec: object): Promise<Json> =>
  await runAction(kubectl, vdb, { kind, name, spec });

function equalPhase(found: Json, phase: string): void {
  if (text(found, "status", "phase") !== phase) throw new Error(`${text(found, "metadata", "name")}: ${text(found, "status")}`);
}

async function strike({ kubectl, vdb }: Scene, { kill }: Step): Promise<void> {
  if (kill === undefined) return;
  await sleep(kill.afterMs);
  const pods = { database: podsOf(vdb), operator: operatorPods, engine: enginePods } satisfies Record<Victim, Pods>;
  await killPods(kubectl, pods[kill.victim], { wait: false });
}
