import type { ActionObject, PostgresVDB } from "@vdb/api";
import type { Command } from "commander";
import { events, type Pod, pods } from "kube-runtime";
import { actionsOn } from "../cluster/actions.ts";
import { databaseOf } from "../cluster/databases.ts";
import { containerName, podsOf } from "../cluster/pods.ts";
import { assertRight, flagWords, openSession, type Session } from "../cluster/session.ts";
import { Complaint } from "../complaint.ts";
import {
  actionLines,
  eventLines,
  hookLines,
  type ProgramLog,
  postgresLines,
  programLines,
  type StoryLine,
  storyText,
  type Teller,
} from "../text/story.ts";
import type { ConnectionFlags, World } from "../world.ts";
import { type End, milliseconds } from "./options.ts";

export interface LogsFlags extends ConnectionFlags {
  readonly since: number;
}

export function defineLogs(program: Command, world: World, end: End): void {
  program
    .command("logs")
    .description("tell what happened to a database, in one order: events, operator, driver, engine, PostgreSQL, hooks, actions")
    .argument("<database>", "the PostgresVDB's name")
    .option("--since <duration>", "how far back; 1h unless told", milliseconds, 3_600_000)
    .action(async (database: string, _flags: unknown, command: Command) => {
      end(await logs(world, command.optsWithGlobals<LogsFlags>(), database));
    });
}

async function logs(world: World, flags: LogsFlags, name: string): Promise<number> {
  await using session = await openSession(world, flags);
  const { signal } = world;
  const vdb = await databaseOf(session, name, signal);
  const { actions, hidden } = await actionsOn(session, vdb, signal);
  const lines = await storyOf(world, session, vdb, actions, flags);
  for (const why of hidden) world.stderr.write(`note: some actions are not shown: ${why}\n`);
  world.stdout.write(storyText(world.stdout, lines));
  return 0;
}

/** All that happened since then; what is left out is noted. */
export async function storyOf(
  world: World,
  session: Session,
  vdb: PostgresVDB,
  actions: readonly ActionObject[],
  flags: LogsFlags,
): Promise<readonly StoryLine[]> {
  const { signal } = world;
  const own = await seenOr(world, "the pods", () => podsOf(session, vdb, signal), []);
  const lines: readonly StoryLine[] = [
    ...actionLines(actions),
    ...hookLines(vdb, actions),
    ...(await seenOr(world, "events", () => eventsOf(session, vdb, own, actions, signal), [])),
    ...(await seenOr(world, "PostgreSQL's log", () => serverLog(world, session, own, flags), [])),
    ...(await seenOr(world, "the logs of operator, driver and engine", () => programsLog(world, session, vdb, flags), [])),
  ];
  const from = world.clock.now() - flags.since;
  return lines.filter(({ at }) => at >= from);
}

/** A part that the user may not see, or that cannot be had, is named and left out: the others still tell something. */
async function seenOr<T>({ stderr }: World, what: string, ask: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    stderr.write(`note: without ${what}: ${error.message}\n`);
    return otherwise;
  }
}

async function eventsOf(
  { client, namespace }: Session,
  { metadata: { name }, status: { pvcName = "" } }: PostgresVDB,
  own: readonly Pod[],
  actions: readonly ActionObject[],
  signal: AbortSignal,
): Promise<readonly StoryLine[]> {
  const names = new Set([
    ...["PostgresVDB", "Deployment", "Service"].map((kind) => `${kind} ${name}`),
    `PersistentVolumeClaim ${pvcName}`,
    ...own.map(({ metadata }) => `Pod ${metadata.name}`),
    ...actions.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
  ]);
  return eventLines((await client.list(events, { namespace }, signal)).items, names);
}

async function serverLog(world: World, session: Session, own: readonly Pod[], flags: LogsFlags): Promise<readonly StoryLine[]> {
  const { namespace } = session;
  await assertRight(session, { verb: "get", resource: pods, subresource: "log", namespace }, flags, world.signal);
  const texts = own.map(({ metadata }) => logOf(world, flags, namespace, metadata.name, ["-c", containerName, "--timestamps"]));
  return (await Promise.all(texts)).flatMap(postgresLines);
}

const operator = "delphix-operator";
/** What has a log of its own, by the label of its pods; the driver has other containers beside it. */
const programs: Readonly<Record<string, { readonly teller: Teller; readonly container?: string }>> = {
  [operator]: { teller: "operator" },
  "delphix-csi-controller": { teller: "driver", container: "driver" },
  "delphix-csi-node": { teller: "driver", container: "driver" },
  "delphix-engine": { teller: "engine", container: "engine" },
};
const nameLabel = "app.kubernetes.io/name";

/** In whatever namespace their pods are: only who may see all namespaces finds them. */
async function programsLog(world: World, session: Session, vdb: PostgresVDB, flags: LogsFlags): Promise<readonly StoryLine[]> {
  const labelSelector = `${nameLabel} in (${Object.keys(programs).join(", ")})`;
  const { items } = await session.client.list(pods, { labelSelector }, world.signal);
  const known = items.flatMap(({ metadata: { namespace = "", name, labels } }) => {
    const program = programs[labels?.[nameLabel] ?? ""];
    return program === undefined ? [] : [{ namespace, name, ...program }];
  });
  if (!known.some(({ teller }) => teller === "operator")) throw new Complaint(`no pod has the label ${nameLabel}=${operator}`);
  const texts = known.map(async ({ namespace, name, teller, container }): Promise<ProgramLog> => {
    const more = container === undefined ? [] : ["-c", container];
    return { teller, text: await logOf(world, flags, namespace, name, more) };
  });
  const { namespace, name } = vdb.metadata;
  const { pvcName, delphixID } = vdb.status;
  const claim = pvcName === undefined ? undefined : `${namespace}/${pvcName}`;
  return programLines(await Promise.all(texts), { vdb: `${namespace}/${name}`, claim, delphixID });
}

const logOf = (world: World, flags: LogsFlags, namespace: string, pod: string, more: readonly string[]): Promise<string> =>
  world.kubectl.read(["logs", pod, ...more, `--since=${Math.ceil(flags.since / 1000)}s`, ...flagWords({ ...flags, namespace })]);
