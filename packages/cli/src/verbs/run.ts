import { type ActionObject, postgresTask } from "@vdb/api";
import type { Command } from "commander";
import { Complaint } from "../complaint.ts";
import { endOf } from "../text/end-of-action.ts";
import type { World } from "../world.ts";
import { type ActFlags, act, addActOptions } from "./act.ts";
import { type End, wholeSeconds } from "./options.ts";

interface RunFlags extends ActFlags {
  readonly file?: string;
  readonly command?: boolean;
  readonly database?: string;
  readonly timeout?: number;
}

/** The output has been printed: the object need not stay as long as one that only its status tells of. */
const ttlSeconds = 3600;

export function defineRun(program: Command, world: World, end: End): void {
  addActOptions(program.command("run"))
    .description("run SQL or a command in a database's pod, without rights on pods (PostgresTask), and print its output")
    .argument("<database>", "the PostgresVDB's name")
    .argument("[text]", "the SQL, or with --command the command")
    .option("-f, --file <file>", "read the text from a file; - is standard input")
    .option("--command", "the text is a command for the shell, or a script that names its interpreter (#!)")
    .option("--database <name>", "the database in the server; spec.database.name unless told")
    .option("--timeout <duration>", "how long it may take; 5m unless told", wholeSeconds)
    .action(async (name: string, text: string | undefined, _flags: unknown, command: Command) => {
      const flags = { ttl: ttlSeconds, ...command.optsWithGlobals<RunFlags>() };
      const content = await contentOf(world, text, flags.file);
      const spec = taskSpec(name, content, flags);
      end(await act(world, flags, { kind: postgresTask, verb: "run", database: name, spec, end: printOutput(world, flags) }));
    });
}

async function contentOf(world: World, text: string | undefined, file: string | undefined): Promise<string> {
  if ((text === undefined) === (file === undefined))
    throw new Complaint("run takes either the text itself or --file, for example: kubectl vdb run my-database 'SELECT 1'");
  const content = text ?? (await world.readText(file ?? "-"));
  if (content.trim() === "") throw new Complaint(`there is nothing to run: ${file === undefined ? "the text" : file} is empty`);
  return content;
}

/** Pure: the spec of the PostgresTask. */
export function taskSpec(name: string, content: string, { command, database, timeout }: RunFlags): object {
  return {
    targetRef: { name },
    type: command === true ? "command" : "sql",
    content,
    ...(database === undefined ? {} : { database }),
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
  };
}

/** The output as the text has printed it, and its exit code as ours; where it has none, ours says that it did not run to its end. */
const printOutput =
  (world: World, flags: RunFlags) =>
  (action: ActionObject): number => {
    const { output = "", exitCode } = "output" in action.status ? action.status : {};
    if (flags.output === undefined || flags.output === "wide")
      world.stdout.write(output === "" ? "" : `${output.replace(/\n$/u, "")}\n`);
    if (action.status.phase === "Completed") return 0;
    const { said, advice } = endOf(action, flags);
    throw new Complaint(said, advice, exitCode === undefined || exitCode === 0 ? 1 : exitCode);
  };
