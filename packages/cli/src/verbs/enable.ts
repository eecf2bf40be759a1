/** The verbs stop and start: spec.enabled, and the database's way there. */
import type { Command } from "commander";
import { databaseOf, databases } from "../cluster/databases.ts";
import { again, openSession } from "../cluster/session.ts";
import { Complaint } from "../complaint.ts";
import { follow } from "../follow/follow.ts";
import { asFormat, nameOf } from "../text/print.ts";
import type { World } from "../world.ts";
import { patchSpec, printChange } from "./act.ts";
import { addChangeOptions, type ChangeFlags, type End } from "./options.ts";

export function defineEnable(program: Command, world: World, end: End): void {
  for (const [verb, enabled, description] of [
    ["stop", false, "stop a database; its data stays (spec.enabled: false)"],
    ["start", true, "start a stopped database again (spec.enabled: true)"],
  ] as const)
    addChangeOptions(program.command(verb))
      .description(description)
      .argument("<database>", "the PostgresVDB's name")
      .action(async (database: string, _flags: unknown, command: Command) => {
        end(await enable(world, command.optsWithGlobals<ChangeFlags>(), database, enabled));
      });
}

async function enable(world: World, flags: ChangeFlags, name: string, enabled: boolean): Promise<number> {
  await using session = await openSession(world, flags);
  const key = { namespace: session.namespace, name };
  const found = await databaseOf(session, name, world.signal);
  if (enabled && found.status.expiry?.stoppedTime !== undefined)
    throw new Complaint(`PostgresVDB ${key.namespace}/${name} has expired at ${found.status.expiry.time}`, [
      `to start it for another 8 hours: kubectl vdb extend ${name} 8h${again(flags)}`,
    ]);
  const patched = await patchSpec({ world, session, flags }, found, { spec: { enabled } });
  if (patched === undefined) return 0;
  if (!flags.wait) return printChange(world, flags, patched, "patched");
  const { object, verdict } = await follow(world, session, {
    resource: databases,
    key,
    goal: { kind: enabled ? "ready" : "stopped" },
    onInterrupt: [`to wait for it: kubectl vdb wait ${name} --for=${enabled ? "ready" : "stopped"}${again(flags)}`],
  });
  const what = `PostgresVDB ${key.namespace}/${name}`;
  if (verdict.kind === "never" || object === undefined)
    throw new Complaint(
      `${what} does not ${enabled ? "start" : "stop"}: ${verdict.kind === "never" ? verdict.why : "it is gone"}`,
    );
  const text = asFormat(flags.output, object, () => `${nameOf(object)}\n`);
  world.stdout.write(text ?? `${what} is ${enabled ? "ready" : "stopped"}\n`);
  return 0;
}
