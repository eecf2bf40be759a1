import type { Command } from "commander";
import { actionsOn } from "../cluster/actions.ts";
import { databaseOf } from "../cluster/databases.ts";
import { openSession } from "../cluster/session.ts";
import { asFormat, nameOf } from "../text/print.ts";
import { statusPage } from "../text/status-page.ts";
import type { ConnectionFlags, World } from "../world.ts";
import { type End, type OutputFlags, outputOption } from "./options.ts";

type StatusFlags = ConnectionFlags & OutputFlags;

export function defineStatus(program: Command, world: World, end: End): void {
  program
    .command("status")
    .description("tell how a database is: conditions in words, whose turn it is and who waits, hooks, and what to do next")
    .argument("<database>", "the PostgresVDB's name")
    .addOption(outputOption())
    .action(async (database: string, _flags: unknown, command: Command) => {
      end(await status(world, command.optsWithGlobals<StatusFlags>(), database));
    });
}

async function status(world: World, flags: StatusFlags, name: string): Promise<number> {
  await using session = await openSession(world, flags);
  const vdb = await databaseOf(session, name, world.signal);
  const text = asFormat(flags.output, vdb, () => `${nameOf(vdb)}\n`);
  if (text !== undefined) world.stdout.write(text);
  else
    world.stdout.write(
      statusPage(world.stdout, { vdb, ...(await actionsOn(session, vdb, world.signal)) }, world.clock.now(), flags),
    );
  return 0;
}
