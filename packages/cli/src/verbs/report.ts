/** The verb report: all that a stranger needs to help with a database, and no secrets, as far as the user may see it. */
import type { Command } from "commander";
import { deployments, isApiError, type KubeObject, persistentVolumeClaims, type Resource, services } from "kube-runtime";
import { actionsOn } from "../cluster/actions.ts";
import { databaseOf } from "../cluster/databases.ts";
import { madeFor, podsOf } from "../cluster/pods.ts";
import { openSession, type Session } from "../cluster/session.ts";
import { volumeSnapshots } from "../cluster/storage.ts";
import { Complaint } from "../complaint.ts";
import { reportText } from "../text/check.ts";
import { logWithoutSecrets, type Part, reportOf, yamlOf } from "../text/report.ts";
import { storyText } from "../text/story.ts";
import type { World } from "../world.ts";
import { checksOf } from "./doctor.ts";
import { type LogsFlags, storyOf } from "./logs.ts";
import { type End, milliseconds } from "./options.ts";

export function defineReport(program: Command, world: World, end: End): void {
  program
    .command("report")
    .description("print all that others need to help with a database, without secrets: kubectl vdb report NAME >report.txt")
    .argument("<database>", "the PostgresVDB's name")
    .option("--since <duration>", "how far back the logs go; 6h unless told", milliseconds, 21_600_000)
    .action(async (database: string, _flags: unknown, command: Command) => {
      end(await report(world, command.optsWithGlobals<LogsFlags>(), database));
    });
}

async function report(world: World, flags: LogsFlags, name: string): Promise<number> {
  await using session = await openSession(world, flags);
  const { signal } = world;
  const vdb = await databaseOf(session, name, signal);
  const { namespace } = vdb.metadata;
  const missing: string[] = [];
  const plain: World = { ...world, stderr: { ...world.stderr, write: (text) => void missing.push(text.trim()) } };
  const { actions, hidden } = await actionsOn(session, vdb, signal);
  const all = <T extends KubeObject>(resource: Resource<T>) => listed(session, resource, namespace, name, signal);
  const output = { ...world.stdout, hasColours: false, isTerminal: false };
  const parts = [
    await part(`kubectl vdb report of ${namespace}/${name}, ${new Date(world.clock.now()).toISOString()}`, async () => ""),
    await part("what databases need", async () => reportText(output, await checksOf(session, signal))),
    await part("PostgresVDB", async () => yamlOf([vdb])),
    await part("actions", async () => [yamlOf(actions), ...hidden].join("\n")),
    await part("Deployment and Service", async () => yamlOf([...(await all(deployments)), ...(await all(services))])),
    await part("claims", async () => yamlOf(await all(persistentVolumeClaims))),
    await part("pods", async () => yamlOf(await podsOf(session, vdb, signal))),
    await part("VolumeSnapshots", async () => yamlOf((await session.client.list(volumeSnapshots, { namespace }, signal)).items)),
    await part("what has happened", async () =>
      logWithoutSecrets(storyText(output, await storyOf(plain, session, vdb, actions, flags)), [
        vdb.spec.database.password ?? "",
      ]),
    ),
    { title: "what is not in this report", text: missing.length === 0 ? "nothing that was asked for" : missing.join("\n") },
  ];
  world.stdout.write(reportOf(parts));
  return 0;
}

/** What may not be seen is named in its place. */
async function part(title: string, ask: () => Promise<string>): Promise<Part> {
  try {
    return { title, text: await ask() };
  } catch (error) {
    if (!(error instanceof Complaint) && !isApiError(error, "notFound", "forbidden")) throw error;
    return { title, text: `(not in this report: ${error.message})` };
  }
}

async function listed<T extends KubeObject>(
  { client }: Session,
  resource: Resource<T>,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<readonly T[]> {
  return (await client.list(resource, { namespace, labelSelector: madeFor(name) }, signal)).items;
}
