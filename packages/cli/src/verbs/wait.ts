import { type ActionKind, type ActionObject, actionKinds, type PostgresVDB, postgresVDB, resourceOf } from "@vdb/api";
import { type Command, InvalidArgumentError } from "commander";
import type { Resource } from "kube-runtime";
import { databaseOf, databases } from "../cluster/databases.ts";
import { again, openSession, type Session } from "../cluster/session.ts";
import { Complaint, notInTime } from "../complaint.ts";
import { follow, type Pursued } from "../follow/follow.ts";
import { type Goal, goalOf } from "../follow/goal.ts";
import { asFormat, nameOf } from "../text/print.ts";
import type { ConnectionFlags, World } from "../world.ts";
import { type End, milliseconds, type OutputFlags, outputOption } from "./options.ts";

interface WaitFlags extends ConnectionFlags, OutputFlags {
  readonly for?: Goal;
  readonly timeout: number;
}

export function defineWait(program: Command, world: World, end: End): void {
  program
    .command("wait")
    .description("wait for a database or an action; exit code 0: it came, 1: it will not come, 124: not in time")
    .argument("<what>", "a PostgresVDB's name, or KIND/NAME, for example vdbrefresh/nightly")
    .option(
      "--for <goal>",
      "ready, stopped, completed, deleted, phase=PHASE or condition=TYPE[=STATUS]; ready for a database, completed for an action",
      goalFlag,
    )
    .option("--timeout <duration>", "how long to wait; 10m unless told", milliseconds, 600_000)
    .addOption(outputOption())
    .action(async (what: string, _flags: unknown, command: Command) => {
      end(await wait(world, command.optsWithGlobals<WaitFlags>(), what));
    });
}

function goalFlag(text: string): Goal {
  const goal = goalOf(text);
  if (goal !== undefined) return goal;
  throw new InvalidArgumentError("It must be ready, stopped, completed, deleted, phase=PHASE or condition=TYPE[=STATUS].");
}

/** Pure: which kind of object, and which one. Throws naming the kinds. */
export function awaitedOf(what: string): { readonly kind: ActionKind | typeof postgresVDB; readonly name: string } {
  const slash = what.indexOf("/");
  if (slash === -1) return { kind: postgresVDB, name: what };
  const word = (what.slice(0, slash).split(".")[0] ?? "").toLowerCase();
  const kind = [postgresVDB, ...actionKinds].find(
    (one) => one.kind.toLowerCase() === word || one.plural === word || one.shortNames.some((short) => short === word),
  );
  if (kind !== undefined) return { kind, name: what.slice(slash + 1) };
  const kinds = [postgresVDB, ...actionKinds].map((one) => one.kind.toLowerCase());
  throw new Complaint(`${what}: the kind must be one of ${kinds.join(", ")}`);
}

async function wait(world: World, flags: WaitFlags, what: string): Promise<number> {
  const { kind, name } = awaitedOf(what);
  await using session = await openSession(world, flags);
  const goal = flags.for ?? { kind: kind.kind === "PostgresVDB" ? "ready" : "completed" };
  if (kind.kind === "PostgresVDB") {
    if (goal.kind !== "deleted") await databaseOf(session, name, world.signal);
    return tell(world, flags, what, await pursue(world, session, flags, what, databases, name, goal));
  }
  const resource = resourceOf<ActionKind>(kind);
  if (
    goal.kind !== "deleted" &&
    (await session.client.find(resource, { namespace: session.namespace, name }, world.signal)) === undefined
  )
    throw new Complaint(`there is no ${kind.kind} ${name} in namespace ${session.namespace}`);
  return tell(world, flags, what, await pursue(world, session, flags, what, resource, name, goal));
}

const pursue = <T extends PostgresVDB | ActionObject>(
  world: World,
  session: Session,
  flags: WaitFlags,
  what: string,
  resource: Resource<T>,
  name: string,
  goal: Goal,
): Promise<Pursued<T>> =>
  follow(world, session, {
    resource,
    key: { namespace: session.namespace, name },
    goal,
    timeoutMs: flags.timeout,
    onInterrupt: [`to go on waiting: kubectl vdb wait ${what}${again(flags)}`],
  });

function tell(
  world: World,
  { output, timeout }: WaitFlags,
  what: string,
  { object, verdict }: Pursued<PostgresVDB | ActionObject>,
): number {
  if (verdict.kind === "late") {
    const state = object === undefined ? "" : `; it is in phase ${object.status.phase}`;
    throw new Complaint(`${what}: not within ${timeout / 1000} s${state}`, [], notInTime);
  }
  if (verdict.kind === "never") throw new Complaint(`${what}: it will not come: ${verdict.why}`);
  const text = object === undefined ? undefined : asFormat(output, object, () => `${nameOf(object)}\n`);
  world.stdout.write(text ?? `${what}: condition met\n`);
  return 0;
}
