import type { PostgresVDB } from "@vdb/api";
import type { Command } from "commander";
import { pods } from "kube-runtime";
import { databaseOf } from "../cluster/databases.ts";
import { containerName, isRunning, podsOf } from "../cluster/pods.ts";
import { again, assertRight, flagWords, openSession } from "../cluster/session.ts";
import { Complaint } from "../complaint.ts";
import type { ConnectionFlags, World } from "../world.ts";
import type { End } from "./options.ts";

export function definePsql(program: Command, world: World, end: End): void {
  program
    .command("psql")
    .description("open psql in the database's pod, on its local socket: no password is asked")
    .argument("<database>", "the PostgresVDB's name")
    .argument("[words...]", "after --: what psql is given, for example -- -c 'SELECT 1'")
    .action(async (database: string, words: readonly string[], _flags: unknown, command: Command) => {
      end(await psql(world, command.optsWithGlobals<ConnectionFlags>(), database, words));
    });
}

async function psql(world: World, flags: ConnectionFlags, name: string, words: readonly string[]): Promise<number> {
  const command = await prepare(world, flags, name, words);
  return await world.kubectl.run(command);
}

/** The session ends before kubectl begins: psql may stay open for a day. */
async function prepare(world: World, flags: ConnectionFlags, name: string, words: readonly string[]): Promise<readonly string[]> {
  await using session = await openSession(world, flags);
  const { signal } = world;
  const vdb = await databaseOf(session, name, signal);
  const pod = (await podsOf(session, vdb, signal)).find(isRunning);
  if (pod === undefined) throw noPod(vdb, flags);
  const { namespace } = session;
  await assertRight(session, { verb: "create", resource: pods, subresource: "exec", namespace }, flags, signal);
  if (vdb.status.content?.openedTime === undefined)
    world.stderr.write(`note: the hooks of ${namespace}/${name} have not succeeded: its data may not be masked yet\n`);
  const terminal = world.isInteractive ? ["-i", "-t"] : ["-i"];
  const place = flagWords({ ...flags, namespace });
  return ["exec", ...terminal, ...place, pod.metadata.name, "-c", containerName, "--", "psql", ...words];
}

function noPod({ metadata: { namespace, name }, status }: PostgresVDB, flags: ConnectionFlags): Complaint {
  const advice =
    status.phase === "Stopped"
      ? `to start it: kubectl vdb start ${name}${again(flags)}`
      : `why: kubectl vdb status ${name}${again(flags)}`;
  return new Complaint(`PostgresVDB ${namespace}/${name} has no running pod: it is in phase ${status.phase}`, [advice]);
}
