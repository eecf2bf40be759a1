import { type ActionKind, type ActionObject, apiVersionOf, type PostgresVDB, plainResourceOf, resourceOf } from "@vdb/api";
import type { Command } from "commander";
import type { KubeObject } from "kube-runtime";
import { databaseOf, databases } from "../cluster/databases.ts";
import { again, openSession, type Session } from "../cluster/session.ts";
import { Complaint } from "../complaint.ts";
import { follow } from "../follow/follow.ts";
import { endOf } from "../text/end-of-action.ts";
import { asFormat, nameOf, type Printable } from "../text/print.ts";
import type { ConnectionFlags, World } from "../world.ts";
import { addChangeOptions, type ChangeFlags, wholeSeconds } from "./options.ts";

/** The flags of all verbs that create an action. */
export interface ActFlags extends ChangeFlags {
  readonly name?: string;
  readonly deadline?: number;
  readonly ttl?: number;
}

export function addActOptions(command: Command): Command {
  return addChangeOptions(command)
    .option("--name <name>", "the name of the action; one with five random letters unless told")
    .option("--deadline <duration>", "how long it may take, for example 30m", wholeSeconds)
    .option("--ttl <duration>", "delete the action's object so long after its end, for example 24h", wholeSeconds);
}

/** One action to be: what a verb decides, before anything is asked or sent. */
export interface Deed {
  readonly kind: ActionKind;
  /** The verb, as a part of the object's name. */
  readonly verb: string;
  readonly database: string;
  readonly spec: object;
  /** Throws where it is known already that the action cannot do it. */
  readonly admit?: (vdb: PostgresVDB) => void;
  /** Tells the end in the verb's own way, and gives the exit code. */
  readonly end?: (action: ActionObject) => number;
}

/** Creates the action and follows it to its end. */
export async function act(world: World, flags: ActFlags, deed: Deed): Promise<number> {
  await using session = await openSession(world, flags);
  const { kind } = deed;
  const manifest = manifestOf(deed, flags, session.namespace, world.random);
  if (flags.dryRun === "client") return printChange(world, flags, manifest, "created (client dry run)");
  deed.admit?.(await databaseOf(session, deed.database, world.signal));
  const dryRun = flags.dryRun === "server";
  const created = await session.client.create(plainResourceOf(kind), manifest, world.signal, { dryRun });
  if (dryRun) return printChange(world, flags, created, "created (server dry run)");
  if (!flags.wait) return printChange(world, flags, created, "created");
  world.stderr.write(`${nameOf(manifest)} created\n`);
  const action = await seenToItsEnd(world, session, kind, manifest.metadata, flags);
  const text = asFormat(flags.output, action, () => `${nameOf(action)}\n`);
  if (text !== undefined) world.stdout.write(text);
  if (deed.end !== undefined) return deed.end(action);
  const { exitCode, said, advice } = endOf(action, flags);
  if (exitCode !== 0) throw new Complaint(said, advice, exitCode);
  if (text === undefined) world.stdout.write([said, ...advice.map((line) => `  ${line}`)].map((line) => `${line}\n`).join(""));
  return 0;
}

/** Ctrl-C ends the following, never the action. */
async function seenToItsEnd(
  world: World,
  session: Session,
  kind: ActionKind,
  key: { readonly namespace: string; readonly name: string },
  flags: ConnectionFlags,
): Promise<ActionObject> {
  const word = kind.kind.toLowerCase();
  const { object } = await follow(world, session, {
    resource: resourceOf<ActionKind>(kind),
    key,
    goal: { kind: "completed" },
    onInterrupt: [
      `to wait for its end: kubectl vdb wait ${word}/${key.name}${again(flags)}`,
      `to cancel it: kubectl delete ${word} ${key.name}${again({ ...flags, namespace: key.namespace })}`,
    ],
  });
  if (object === undefined) throw new Complaint(`${kind.kind} ${key.namespace}/${key.name} was deleted before its end`);
  return object;
}

interface Manifest extends Pick<KubeObject, "apiVersion" | "kind"> {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
}

/** Pure but for the random name. */
export function manifestOf(
  { kind, verb, database, spec }: Deed,
  flags: ActFlags,
  namespace: string,
  random: () => number,
): Manifest {
  const { name = `${database}-${verb}-${suffix(random)}`, deadline, ttl } = flags;
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name, namespace },
    spec: {
      ...spec,
      ...(deadline === undefined ? {} : { deadlineSeconds: deadline }),
      ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }),
    },
  };
}

/** As the API server makes names up: no vowels, so no words; nothing that looks like something else. */
const letters = "bcdfghjklmnpqrstvwxz2456789";
const suffix = (random: () => number): string =>
  Array.from({ length: 5 }, () => letters[Math.floor(random() * letters.length)] ?? "").join("");

/** Prints an object that is not followed, as kubectl does after create and patch. */
export function printChange(world: World, { output }: ChangeFlags, object: Printable, done: string): number {
  world.stdout.write(asFormat(output, object, () => `${nameOf(object)}\n`) ?? `${nameOf(object)} ${done}\n`);
  return 0;
}

/**
 * Changes spec of a database. Undefined: a dry run, which has printed what it would become. With `resourceVersion` an edit meanwhile
 * is not overwritten.
 */
export async function patchSpec(
  { world, session, flags }: { readonly world: World; readonly session: Session; readonly flags: ChangeFlags },
  found: PostgresVDB,
  { spec, resourceVersion }: { readonly spec: Partial<PostgresVDB["spec"]>; readonly resourceVersion?: string },
): Promise<PostgresVDB | undefined> {
  const { namespace, name } = found.metadata;
  if (flags.dryRun === "client") {
    printChange(world, flags, { ...found, spec: { ...found.spec, ...spec } }, "patched (client dry run)");
    return undefined;
  }
  const dryRun = flags.dryRun === "server";
  const patch = { ...(resourceVersion === undefined ? {} : { metadata: { resourceVersion } }), spec };
  const patched = await session.client.patch<PostgresVDB>(databases, { namespace, name }, patch, world.signal, { dryRun });
  if (!dryRun) return patched;
  printChange(world, flags, patched, "patched (server dry run)");
  return undefined;
}
