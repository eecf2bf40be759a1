import { type PostgresVDB, passwordKey } from "@vdb/api";
import type { Command } from "commander";
import { pods, secrets, secretText } from "kube-runtime";
import { databaseOf } from "../cluster/databases.ts";
import { MissingRight } from "../cluster/missing-right.ts";
import { containerName, isRunning, podsOf } from "../cluster/pods.ts";
import { again, assertRight, flagWords, openSession } from "../cluster/session.ts";
import { Complaint } from "../complaint.ts";
import type { ConnectionFlags, World } from "../world.ts";
import type { End } from "./options.ts";

export function definePsql(program: Command, world: World, end: End): void {
  program
    .command("psql")
    .description("open psql in the database's pod, on its local socket: no password is asked")
    .option(
      "--tcp",
      "run this machine's psql through a port-forward, for who may not exec; the password is the Secret's, or asked",
    )
    .argument("<database>", "the PostgresVDB's name")
    .argument("[words...]", "after --: what psql is given, for example -- -c 'SELECT 1'")
    .action(async (database: string, words: readonly string[], _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<PsqlFlags>();
      end(await (flags.tcp === true ? psqlByTcp : psql)(world, flags, database, words));
    });
}

interface PsqlFlags extends ConnectionFlags {
  readonly tcp?: boolean;
}

/** As a client of the Service would connect, by the gate and the passwords. */
async function psqlByTcp(world: World, flags: ConnectionFlags, name: string, words: readonly string[]): Promise<number> {
  const { vdb, password } = await login(world, flags, name);
  const { namespace } = vdb.metadata;
  await using tunnel = await world.kubectl.forward([`svc/${name}`, `:${vdb.spec.port}`, ...flagWords({ ...flags, namespace })]);
  const environment = {
    PGHOST: "127.0.0.1",
    PGPORT: String(tunnel.port),
    PGUSER: vdb.spec.database.user,
    PGDATABASE: vdb.spec.database.name,
    ...(password === undefined ? {} : { PGPASSWORD: password }),
  };
  return await world.runLocal("psql", words, environment);
}

/** Who may not read the Secret is asked for the password by psql. */
async function login(
  world: World,
  flags: ConnectionFlags,
  name: string,
): Promise<{ readonly vdb: PostgresVDB; readonly password: string | undefined }> {
  await using session = await openSession(world, flags);
  const { signal } = world;
  const vdb = await databaseOf(session, name, signal);
  const { namespace } = session;
  if (vdb.status.endpoint === undefined) throw noPod(vdb, flags);
  await assertRight(session, { verb: "create", resource: pods, subresource: "portforward", namespace }, flags, signal);
  const { password, passwordSecretRef } = vdb.spec.database;
  if (passwordSecretRef === undefined) return { vdb, password };
  try {
    const secret = await session.client.find(secrets, { namespace, name: passwordSecretRef }, signal);
    return { vdb, password: secret === undefined ? undefined : secretText(secret, passwordKey)?.replace(/\r?\n$/u, "") };
  } catch (error) {
    if (!(error instanceof MissingRight)) throw error;
    return { vdb, password: undefined };
  }
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
