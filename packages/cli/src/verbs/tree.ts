import type { Command } from "commander";
import { isApiError } from "kube-runtime";
import { databases } from "../cluster/databases.ts";
import { MissingRight } from "../cluster/missing-right.ts";
import { openSession, type Session } from "../cluster/session.ts";
import { volumeSnapshots } from "../cluster/storage.ts";
import { type SnapshotOfClaim, treeText } from "../text/tree.ts";
import type { ConnectionFlags, World } from "../world.ts";
import type { End } from "./options.ts";

export function defineTree(program: Command, world: World, end: End): void {
  program
    .command("tree")
    .description("show which database is a copy of which, over all namespaces; with -n in one")
    .action(async (_flags: unknown, command: Command) => {
      end(await tree(world, command.optsWithGlobals<ConnectionFlags>()));
    });
}

async function tree(world: World, flags: ConnectionFlags): Promise<number> {
  await using session = await openSession(world, flags);
  const place = flags.namespace === undefined ? {} : { namespace: flags.namespace };
  const { items } = await session.client.list(databases, place, world.signal);
  const isFromSnapshot = items.some(({ spec }) => spec.source.type === "k8s-snapshot");
  const snapshots = isFromSnapshot ? await snapshotsIn(world, session, place) : [];
  if (items.length === 0) world.stderr.write("no PostgresVDBs\n");
  else world.stdout.write(treeText(world.stdout, items, snapshots, world.clock.now()));
  return 0;
}

/** Without them a database from a VolumeSnapshot stands below the snapshot's name. */
async function snapshotsIn(
  world: World,
  { client }: Session,
  place: { readonly namespace?: string },
): Promise<readonly SnapshotOfClaim[]> {
  try {
    const { items } = await client.list(volumeSnapshots, place, world.signal);
    return items.map(({ metadata: { namespace = "", name }, spec }) => ({
      namespace,
      name,
      claim: spec.source.persistentVolumeClaimName,
    }));
  } catch (error) {
    if (isApiError(error, "notFound")) return []; // a cluster without snapshots
    if (!(error instanceof MissingRight)) throw error;
    world.stderr.write(`note: of which database a VolumeSnapshot is cannot be told: ${error.message}\n`);
    return [];
  }
}
