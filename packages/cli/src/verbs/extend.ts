/** The verb extend: spec.expiry, later by a duration. */
import { durationMilliseconds, expiryTimeMs, type PostgresVDB } from "@vdb/api";
import type { Command } from "commander";
import { isApiError, timestamp } from "kube-runtime";
import { databaseOf, databases } from "../cluster/databases.ts";
import { again, openSession } from "../cluster/session.ts";
import { Complaint } from "../complaint.ts";
import { follow } from "../follow/follow.ts";
import { asFormat, nameOf } from "../text/print.ts";
import type { World } from "../world.ts";
import { patchSpec } from "./act.ts";
import { addChangeOptions, type ChangeFlags, type End, wholeSeconds } from "./options.ts";

export function defineExtend(program: Command, world: World, end: End): void {
  addChangeOptions(program.command("extend"))
    .description("let a database expire later (spec.expiry); one that is stopped because it has expired starts again")
    .argument("<database>", "the PostgresVDB's name")
    .argument("<duration>", "by how much, for example 8h; from now where it has expired", wholeSeconds)
    .action(async (database: string, seconds: number, _flags: unknown, command: Command) => {
      end(await extend(world, command.optsWithGlobals<ChangeFlags>(), database, seconds));
    });
}

type Expiry = NonNullable<PostgresVDB["spec"]["expiry"]>;

/** Pure: the expiry that ends so much later than the present one, or than now where that has passed; undefined: there is none. */
export function extended(
  vdb: PostgresVDB,
  seconds: number,
  nowMs: number,
): { readonly expiry: Expiry; readonly timeMs: number } | undefined {
  const { expiry } = vdb.spec;
  const beforeMs = expiryTimeMs(vdb);
  if (expiry === undefined || beforeMs === undefined) return undefined;
  const timeMs = Math.ceil(Math.max(beforeMs, nowMs) / 1000) * 1000 + seconds * 1000;
  const { after } = expiry;
  return {
    timeMs,
    expiry:
      after === undefined
        ? { ...expiry, at: timestamp(timeMs) }
        : { ...expiry, after: durationText((durationMilliseconds(after) + timeMs - beforeMs) / 1000) },
  };
}

/** `8h`, `1h30m`, `90s` as `1m30s`. */
function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? "" : `${count}${unit}`)).join("");
}

interface Renewal {
  readonly found: PostgresVDB;
  readonly expiry: Expiry;
  readonly timeMs: number;
  /** Undefined: a dry run, which has printed what it would become. */
  readonly patched: PostgresVDB | undefined;
}
type Place = Parameters<typeof patchSpec>[0];

/** Of what stands there now: where somebody, mostly the operator, writes in between, it looks and tries again. */
export async function renew(place: Place, name: string, seconds: number, triesLeft = 5): Promise<Renewal> {
  const { world, session } = place;
  const found = await databaseOf(session, name, world.signal);
  const wanted = extended(found, seconds, world.clock.now());
  if (wanted === undefined)
    throw new Complaint(`PostgresVDB ${session.namespace}/${name} never expires: it has no spec.expiry`, [
      "to let it expire, set spec.expiry, for example {after: 8h, action: Stop}",
    ]);
  const { expiry } = wanted;
  const { resourceVersion } = found.metadata;
  try {
    return { found, ...wanted, patched: await patchSpec(place, found, { spec: { expiry }, resourceVersion }) };
  } catch (error) {
    if (!isApiError(error, "conflict") || triesLeft === 1) throw error;
    return await renew(place, name, seconds, triesLeft - 1);
  }
}

async function extend(world: World, flags: ChangeFlags, name: string, seconds: number): Promise<number> {
  await using session = await openSession(world, flags);
  const key = { namespace: session.namespace, name };
  const what = `PostgresVDB ${key.namespace}/${name}`;
  const { found, expiry, timeMs, patched } = await renew({ world, session, flags }, name, seconds);
  if (patched === undefined) return 0;
  const isToStart = found.status.expiry?.stoppedTime !== undefined && found.spec.enabled && flags.wait;
  const started = isToStart
    ? await follow(world, session, {
        resource: databases,
        key,
        goal: { kind: "ready" },
        onInterrupt: [`to wait for it: kubectl vdb wait ${name}${again(flags)}`],
      })
    : undefined;
  if (started?.verdict.kind === "never") throw new Complaint(`${what} does not start: ${started.verdict.why}`);
  const object = started?.object ?? patched;
  const deed = expiry.action === "Stop" ? "stopped" : "deleted";
  const text = asFormat(flags.output, object, () => `${nameOf(object)}\n`);
  world.stdout.write(text ?? `${what} expires at ${timestamp(timeMs)}: it is ${deed} then\n`);
  return 0;
}
