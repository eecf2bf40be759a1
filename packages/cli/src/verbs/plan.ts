/** The verb plan: what a refresh, rewind, undo, snapshot or deletion would do. It changes nothing. */
import { type ActionObject, claimsOf, type PostgresVDB } from "@vdb/api";
import { Argument, type Command } from "commander";
import { isApiError } from "kube-runtime";
import { databaseOf, databases } from "../cluster/databases.ts";
import { MissingRight } from "../cluster/missing-right.ts";
import { again, openSession } from "../cluster/session.ts";
import { volumeSnapshots } from "../cluster/storage.ts";
import { Complaint } from "../complaint.ts";
import { deletionPage, planPage } from "../text/plan-page.ts";
import { copiesOf } from "../text/tree.ts";
import type { World } from "../world.ts";
import { act, addActOptions } from "./act.ts";
import { addSnapshotOptions, type DataFlags, dataVerbs } from "./change-data.ts";
import type { End } from "./options.ts";

/** A plan is read today. */
const ttlSeconds = 86_400;

export function definePlan(program: Command, world: World, end: End): void {
  addSnapshotOptions(addActOptions(program.command("plan")))
    .description("tell what a refresh, rewind, undo, snapshot or deletion of a database would do, and change nothing")
    .addArgument(new Argument("<deed>", "what is planned").choices([...Object.keys(dataVerbs), "delete"]))
    .argument("<database>", "the PostgresVDB's name")
    .action(async (deed: string, database: string, _flags: unknown, command: Command) => {
      const flags = { ttl: ttlSeconds, ...command.optsWithGlobals<DataFlags>() };
      end(await plan(world, flags, deed, database));
    });
}

async function plan(world: World, flags: DataFlags, deed: string, database: string): Promise<number> {
  const found = Object.entries(dataVerbs).find(([verb]) => verb === deed)?.[1];
  if (found === undefined) return await tellDeletion(world, flags, database);
  const spec = { ...found.spec(database, flags), planOnly: true };
  const told = (action: ActionObject): number => tell(world, flags, { deed, database }, action);
  return await act(world, flags, { kind: found.kind, verb: "plan", database, spec, end: told });
}

interface Planned {
  readonly deed: string;
  readonly database: string;
}

function tell(world: World, flags: DataFlags, { deed, database }: Planned, { kind, metadata, status }: ActionObject): number {
  const told = "plan" in status ? status.plan : undefined;
  if (told === undefined)
    throw new Complaint(`${kind} ${metadata.namespace}/${metadata.name} tells no plan: ${status.lastError ?? status.phase}`);
  const isBlocked = told.blockers.length > 0;
  if (flags.output !== undefined && flags.output !== "wide") return isBlocked ? 1 : 0;
  world.stdout.write(planPage(world.stdout, `The ${deed} of PostgresVDB ${metadata.namespace}/${database}`, told));
  if (!isBlocked)
    world.stdout.write(
      `  to hold it to this plan: kubectl vdb ${deed} ${database} --plan ${metadata.name}${again(flags)}, and the same flags\n`,
    );
  return isBlocked ? 1 : 0;
}

async function tellDeletion(world: World, flags: DataFlags, name: string): Promise<number> {
  await using session = await openSession(world, flags);
  const vdb = await databaseOf(session, name, world.signal);
  const { namespace } = vdb.metadata;
  const seen = async <T>(look: () => Promise<readonly T[]>, what: string): Promise<readonly T[] | undefined> => {
    try {
      return await look();
    } catch (error) {
      if (isApiError(error, "notFound")) return []; // a cluster without snapshots
      if (!(error instanceof MissingRight)) throw error;
      world.stderr.write(`note: without ${what}: ${error.message}\n`);
      return undefined;
    }
  };
  const databasesIn = async (place: { readonly namespace?: string }): Promise<readonly PostgresVDB[]> =>
    (await session.client.list(databases, place, world.signal)).items;
  const everywhere = await seen(async () => await databasesIn({}), "copies in other namespaces");
  const all = everywhere ?? (await seen(async () => await databasesIn({ namespace }), "copies in this namespace"));
  const snapshots = await seen(
    async () => (await session.client.list(volumeSnapshots, { namespace }, world.signal)).items,
    "VolumeSnapshots",
  );
  const claims = snapshots?.map((one) => ({
    namespace,
    name: one.metadata.name,
    claim: one.spec.source.persistentVolumeClaimName,
  }));
  const copies = copiesOf(vdb, all ?? [], claims ?? []).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const own = claims?.filter(({ claim }) => claim !== undefined && claimsOf(vdb.status).includes(claim));
  const areCopiesSeen = everywhere !== undefined && snapshots !== undefined;
  world.stdout.write(deletionPage(world.stdout, vdb, { copies, areCopiesSeen, snapshots: own?.length }));
  return vdb.spec.protected ? 1 : 0;
}
