/** The second half of the demo: a mistake is undone by a snapshot and a rewind, then a refresh brings what is new in production. */
import { deleteSourceSnapshot, takeSourceSnapshot } from "../stack/engine.ts";
import { text } from "../stack/json.ts";
import { eventually, type Kubectl } from "../stack/kubectl.ts";
import { productionSql } from "../stack/production.ts";
import { type Endpoint, psqlThroughService } from "../stack/psql.ts";
import { applyAndFollow } from "./phases.ts";
import { say } from "./progress.ts";

const actions = { VDBSnapshot: "my-vdb-snapshot", VDBRewind: "my-vdb-rewind", VDBRefresh: "my-vdb-refresh" } as const;
type Kind = keyof typeof actions;
export type Seconds = Readonly<Record<Kind, number>>;

const wrongDelete = "DELETE FROM pgbench_accounts WHERE bid <= 10";
const newRow = "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, 1, 500, now())";

/**
 * Objects of an earlier run, in the way a user deletes them: an action never runs twice, and a VolumeSnapshot keeps its VDB.
 * Returns the id of the source's snapshot that the earlier run has asked for, if there is one: nothing else deletes it.
 */
export async function removeOldActions(kubectl: Kubectl, namespace: string): Promise<string | undefined> {
  const objects = Object.entries(actions).map(([kind, name]) => `${kind.toLowerCase()}/${name}`);
  const all = [...objects, `volumesnapshot/${actions.VDBSnapshot}`];
  const found = await kubectl.run(["get", ...all, "-n", namespace, "--ignore-not-found", "-o", "name"]);
  if (found === "") return undefined;
  const refreshed = await kubectl.get("vdbrefresh", actions.VDBRefresh, namespace);
  say(`kubectl delete ${found.split("\n").join(" ")} -n ${namespace} (from an earlier run)`);
  await kubectl.run(["delete", ...found.split("\n"), "-n", namespace, "--ignore-not-found", "--timeout=240s"]);
  return text(refreshed, "status", "snapshot", "id") || undefined;
}

/** Leaves the database with production's present data, and `former`, an earlier run's snapshot of it, deleted. Returns each action's seconds, from apply to Completed. */
export async function makeAndUndoMistake(kubectl: Kubectl, vdb: Endpoint, former?: string): Promise<Seconds> {
  const act = async (kind: Kind): Promise<number> => {
    const object = { kind, name: actions[kind], namespace: vdb.namespace };
    return await applyAndFollow(kubectl, object, { done: "Completed", seconds: 240, ends: ["Completed", "Error"] });
  };
  const rows = async (table: string): Promise<string> => await count(kubectl, vdb, table);

  const before = await rows("pgbench_accounts");
  say(`Rows of pgbench_accounts: ${before}. A snapshot of the database:`);
  const snapshot = await act("VDBSnapshot");

  say(`A mistake: ${wrongDelete} (bid = 10 was meant)`);
  await psqlThroughService(kubectl, vdb, wrongDelete);
  const damaged = await rows("pgbench_accounts");
  say(`Rows of pgbench_accounts: ${damaged}. Back to the snapshot:`);
  const rewind = await act("VDBRewind");
  const after = await rows("pgbench_accounts");
  say(`Rows of pgbench_accounts: ${after} again`);
  if (damaged === before || after !== before)
    throw new Error(
      `Rows of pgbench_accounts: ${before}, ${damaged} after the DELETE, ${after} after the rewind; the first and last differ or nothing was deleted`,
    );

  say(`Meanwhile in production: ${newRow}`);
  await productionSql(kubectl, newRow);
  const snapshotOfSource = await takeSourceSnapshot(kubectl, 300);
  say(
    `Snapshot ${snapshotOfSource.id} of production. Rows of pgbench_history here: ${await rows("pgbench_history")}. A refresh:`,
  );
  const refresh = await act("VDBRefresh");
  const [here, there] = [await rows("pgbench_history"), await productionSql(kubectl, "SELECT count(*) FROM pgbench_history")];
  say(`Rows of pgbench_history here: ${here}, as in production`);
  if (here !== there) throw new Error(`Rows of pgbench_history: ${here} after the refresh, ${there} in production`);
  if (former !== undefined && former !== snapshotOfSource.id) await deleteSourceSnapshot(kubectl, former);
  return { VDBSnapshot: snapshot, VDBRewind: rewind, VDBRefresh: refresh };
}

/** Asked through the Service: a node needs a moment to send clients to the pod again whose gate has just opened. */
async function count(kubectl: Kubectl, vdb: Endpoint, table: string): Promise<string> {
  return await eventually(`${table} can be counted through svc/${vdb.name}`, 30, async () =>
    psqlThroughService(kubectl, vdb, `SELECT count(*) FROM ${table}`),
  );
}
