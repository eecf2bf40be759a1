import { actionKinds, postgresVDB, resourceOf } from "@vdb/api";
import type { Command } from "commander";
import { deployments, isApiError, type Resource, storageClasses } from "kube-runtime";
import { databases } from "../cluster/databases.ts";
import { MissingRight, type Right, resourceOfRight } from "../cluster/missing-right.ts";
import { openSession, type Session } from "../cluster/session.ts";
import { csiDrivers, volumeSnapshotClasses } from "../cluster/storage.ts";
import { type Check, dctCheck, operatorCheck, reportText } from "../text/check.ts";
import type { ConnectionFlags, World } from "../world.ts";
import type { End } from "./options.ts";

const driver = "defs.csi.delphix.com";

export function defineDoctor(program: Command, world: World, end: End): void {
  program
    .command("doctor")
    .description(
      "check what databases need: definitions, operator, driver, classes, DCT, and your rights; exit code 1: something fails",
    )
    .action(async (_flags: unknown, command: Command) => {
      end(await doctor(world, command.optsWithGlobals<ConnectionFlags>()));
    });
}

async function doctor(world: World, flags: ConnectionFlags): Promise<number> {
  await using session = await openSession(world, flags);
  const checks = await checksOf(session, world.signal);
  world.stdout.write(reportText(world.stdout, checks));
  return checks.some(({ verdict }) => verdict === "fails") ? 1 : 0;
}

export async function checksOf(session: Session, signal: AbortSignal): Promise<readonly Check[]> {
  return [
    ...(await Promise.all([postgresVDB, ...actionKinds].map((kind) => definition(session, resourceOf(kind), signal)))),
    await seen("operator", async () => operatorCheck((await session.client.list(deployments, operatorPods, signal)).items)),
    await seen("driver", () => driverCheck(session, signal)),
    await seen("StorageClass", () => classCheck(session, signal)),
    await seen("VolumeSnapshotClass", () => snapshotClassCheck(session, signal)),
    await seen("DCT", async () =>
      dctCheck((await session.client.list(databases, { namespace: session.namespace }, signal)).items),
    ),
    ...(await Promise.all(rightsIn(session.namespace).map((right) => rightCheck(session, right, signal)))),
  ];
}

const operatorPods = { labelSelector: "app.kubernetes.io/name=delphix-operator" };

/** What may not be looked at is said to be unknown, which is no failure. */
async function seen(what: string, look: () => Promise<Check>): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof MissingRight) return { what, verdict: "unknown", says: error.message };
    throw error;
  }
}

async function definition({ client, namespace }: Session, resource: Resource, signal: AbortSignal): Promise<Check> {
  const what = `definition ${resource.plural}`;
  return await seen(what, async () => {
    try {
      await client.list({ ...resource, namespaced: true }, { namespace }, signal);
      return { what, verdict: "ok", says: `${resource.group}/${resource.version} is served` };
    } catch (error) {
      if (!isApiError(error, "notFound")) throw error;
      return {
        what,
        verdict: "fails",
        says: `${resource.group}/${resource.version} is not served: install or upgrade the chart delphix-operator`,
      };
    }
  });
}

async function driverCheck({ client }: Session, signal: AbortSignal): Promise<Check> {
  const found = await client.find(csiDrivers, { name: driver }, signal);
  if (found !== undefined) return { what: "driver", verdict: "ok", says: `${driver} is registered` };
  return { what: "driver", verdict: "fails", says: `${driver} is not registered: install the chart delphix-storage` };
}

async function classCheck({ client }: Session, signal: AbortSignal): Promise<Check> {
  const { items } = await client.list(storageClasses, {}, signal);
  return classVerdict(
    "StorageClass",
    items.filter(({ provisioner }) => provisioner === driver).map(({ metadata }) => metadata.name),
  );
}

async function snapshotClassCheck({ client }: Session, signal: AbortSignal): Promise<Check> {
  try {
    const { items } = await client.list(volumeSnapshotClasses, {}, signal);
    return classVerdict(
      "VolumeSnapshotClass",
      items.filter((one) => one.driver === driver).map(({ metadata }) => metadata.name),
    );
  } catch (error) {
    if (!isApiError(error, "notFound")) throw error;
    return {
      what: "VolumeSnapshotClass",
      verdict: "note",
      says: "the cluster knows no VolumeSnapshots: snapshots are taken through DCT",
    };
  }
}

const classVerdict = (what: string, names: readonly string[]): Check =>
  names.length > 0
    ? { what, verdict: "ok", says: names.toSorted().join(", ") }
    : { what, verdict: "note", says: `none is of ${driver}: databases of dct-source need a StorageClass of it` };

function rightsIn(namespace: string): readonly Right[] {
  const [vdbs, ...actions] = [postgresVDB, ...actionKinds].map((kind) => resourceOf(kind));
  return [
    ...["list", "create", "patch"].flatMap((verb) => (vdbs === undefined ? [] : [{ verb, resource: vdbs, namespace }])),
    ...actions.map((resource) => ({ verb: "create", resource, namespace })),
  ];
}

async function rightCheck(session: Session, right: Right, signal: AbortSignal): Promise<Check> {
  const what = `right ${right.verb}`;
  const on = `${resourceOfRight(right)} in namespace ${session.namespace}`;
  if (await session.may(right, signal)) return { what, verdict: "ok", says: on };
  const { advice } = new MissingRight(right, "you");
  return { what, verdict: "note", says: `not on ${on}: ${advice.at(-1) ?? ""}` };
}
