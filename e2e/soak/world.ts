import { eventually, items, type Kubectl, operatorNamespace, productionSql, storageNamespace, text } from "@vdb/cluster";
import { accountsChecksum, applyVdb, condition, deleteVdb, makePasswordSecret, waitForPhase } from "../vdb.ts";
import { databases, own, type Victim } from "./plan.ts";
import type { Place } from "./pods.ts";
import { answerOf, type Endpoint, table } from "./writer.ts";

/** Five are enough to have several down at once, and few enough for two cores. */
export const databaseCount = 5;
const namespace = operatorNamespace;
const nameOf = (victim: Victim): string => `soak-${victim}`;
const all = databases(databaseCount);
const label = (name: string): Place["label"] => ["app.kubernetes.io/name", name];

export const places: ReadonlyMap<Victim, Place> = new Map<Victim, Place>([
  ...all.map(
    (victim) => [victim, { namespace, label: ["app.kubernetes.io/instance", nameOf(victim)], container: "postgres" }] as const,
  ),
  ...own.map((victim) => [victim, placeOf(victim)] as const),
]);

function placeOf(victim: (typeof own)[number]): Place {
  if (victim === "operator") return { namespace, label: label("delphix-operator"), container: "operator" };
  const container = victim === "engine" ? "engine" : "driver";
  return { namespace: storageNamespace, label: label(`delphix-${victim}`), container };
}

/** Makes the databases, each with the table of a writer; gives back where they answer. */
export async function makeDatabases(kubectl: Kubectl): Promise<ReadonlyMap<Victim, Endpoint>> {
  const made = all.map(async (victim): Promise<readonly [Victim, Endpoint]> => {
    const vdb = { name: nameOf(victim), namespace };
    const password = await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready", 180);
    const service = await kubectl.get("service", vdb.name, namespace);
    const endpoint = { address: text(service, "spec", "clusterIP"), port: 5432, password };
    // The node's packet filter learns of an endpoint a moment after the object says Ready.
    await eventually(`${vdb.name} answers through its Service`, 30, async () => await answerOf(endpoint, table));
    return [victim, endpoint];
  });
  return new Map(await Promise.all(made));
}

export async function removeDatabases(kubectl: Kubectl): Promise<void> {
  await Promise.all(all.map(async (victim) => await deleteVdb(kubectl, { name: nameOf(victim), namespace })));
}

/** What the databases' objects say that is not Ready. */
export async function notReady(kubectl: Kubectl): Promise<readonly string[]> {
  const objects = await kubectl.list("postgresvdb", ["-n", namespace]);
  return all.flatMap((victim) => {
    const found = objects.find((one) => text(one, "metadata", "name") === nameOf(victim));
    const ready = condition(found ?? null, "Ready");
    if (text(found, "status", "phase") === "Ready" && ready?.status === "True") return [];
    return [`${victim}: ${text(found, "status", "phase")}, ${ready?.reason}: ${ready?.message}`];
  });
}

/** Whether the rows that came with the copy are still the source's. */
export async function judgeCopy(kubectl: Kubectl, victim: Victim, endpoint: Endpoint): Promise<readonly string[]> {
  const [copy, source] = [await answerOf(endpoint, accountsChecksum), await productionSql(kubectl, accountsChecksum)];
  return copy === source ? [] : [`${victim}: the rows that came with the copy have changed: ${copy} instead of ${source}`];
}

/** The operator that leads: the other one's death is hardly noticed. */
export async function leader(kubectl: Kubectl): Promise<string> {
  const leases = await kubectl.list("leases", ["-n", namespace]);
  return leases.map((one) => text(one, "spec", "holderIdentity")).join(" ");
}

/** What a person needs to find out why. */
export async function circumstances(kubectl: Kubectl): Promise<string> {
  const said = [
    await kubectl.run(["get", "pods", "-A", "-o", "wide"]),
    await kubectl.run(["get", "postgresvdb", "-A"]),
    ...(await Promise.all(all.map((victim) => tellOf(kubectl, nameOf(victim))))),
  ];
  return said.join("\n\n");
}

async function tellOf(kubectl: Kubectl, name: string): Promise<string> {
  const conditions = items(await kubectl.get("postgresvdb", name, namespace), "status", "conditions").map(
    (one) => `${text(one, "type")}=${text(one, "status")} ${text(one, "reason")}: ${text(one, "message")}`,
  );
  const pods = ["-n", namespace, "-l", `app.kubernetes.io/instance=${name}`];
  const logs = await kubectl.try(["logs", ...pods, "--tail=25", "--prefix"]);
  const previous = await kubectl.try(["logs", ...pods, "--tail=25", "--prefix", "--previous"]);
  const events = await kubectl.try(["events", "-n", namespace, "--for", `postgresvdb/${name}`]);
  return [name, ...conditions, events.stdout, logs.stdout, previous.stdout].join("\n");
}
