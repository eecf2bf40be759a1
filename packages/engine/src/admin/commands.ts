/** The program's commands beside the engine itself: an administrator's, run where the engine's folder is. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Decoder, list, number, object, string } from "@vdb/dct";
import { stageBackup, stagedBackup } from "../catalogue/restore.ts";
import { defaultDataDir } from "../config/flags.ts";
import { markedUuid } from "../pool/mount.ts";
import { poolFolderIn } from "../storage.ts";
import { askEngine, NoEngine } from "./socket.ts";

/** Where a command reads and writes. */
export interface Streams {
  readonly input: AsyncIterable<Buffer>;
  readonly say: (line: string) => void;
  readonly write: (bytes: Buffer) => void;
}

interface Given extends Streams {
  readonly folder: string;
}

/** Answers the exit status: 0, or 1 when what was asked about is not so. */
type Command = (given: Given, subject: string | undefined) => Promise<number>;

export const usage = `usage: engine COMMAND [--data-dir=FOLDER]
  keys                 list the API keys: name, since when, last used
  keys-add NAME        make an API key and print it, this once
  keys-revoke NAME     refuse this key from now on
  check                compare catalogue and pool; exit status 1 when they differ
  backup FILE          write the catalogue as of now; - is standard output
  restore FILE         put a backup in the catalogue's place, and restart the engine; - is standard input
without a command the engine itself runs`;

export const isCommand = (word: string | undefined): boolean => word !== undefined && !word.startsWith("-");

export async function runCommandOf(args: readonly string[], streams: Streams): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { "data-dir": { type: "string", default: defaultDataDir } },
    allowPositionals: true,
  });
  const [word = "", subject, ...more] = positionals;
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (command === undefined || more.length > 0) throw new Error(usage);
  return await command({ ...streams, folder: values["data-dir"] }, subject);
}

const commands: Readonly<Record<string, Command>> = {
  keys: async ({ folder, say }) => {
    const { keys } = await asked(folder, "list-keys", decodeKeys);
    for (const { name, created, last_used } of keys) say(`${name}\t${created}\t${last_used ?? "never used"}`);
    return 0;
  },
  "keys-add": async ({ folder, say }, name) => {
    say((await asked(folder, "add-key", decodeKey, required(name))).key);
    return 0;
  },
  "keys-revoke": async ({ folder, say }, name) => {
    await askEngine(folder, "revoke-key", required(name));
    say(`the engine refuses API key ${name} from now on`);
    return 0;
  },
  check: async ({ folder, say }) => {
    const { compared, busy, differences } = await asked(folder, "check", decodeChecked);
    for (const one of differences) say(one);
    if (busy.length > 0) say(`not compared, because jobs work on them: ${busy.join(", ")}`);
    const { vdbs, timeflows, snapshots } = compared;
    const what = `${vdbs} VDBs, ${timeflows} timeflows, ${snapshots} snapshots compared`;
    say(differences.length === 0 ? `catalogue and pool agree: ${what}` : `${differences.length} differences: ${what}`);
    return differences.length === 0 ? 0 : 1;
  },
  backup: async ({ folder, say, write }, file) => {
    const target = required(file);
    const bytes = await askEngine(folder, "backup");
    if (target === "-") write(bytes);
    else {
      await writeFile(`${target}.new`, bytes, { mode: 0o600, flush: true });
      await rename(`${target}.new`, target);
      say(`${target}: ${bytes.length} bytes`);
    }
    return 0;
  },
  restore: async ({ folder, input, say }, file) => {
    const source = required(file);
    const bytes = source === "-" ? await buffer(input) : await readFile(source);
    // Undefined: the pool is not mounted; the engine's start compares them.
    const mounted = await markedUuid(poolFolderIn(folder)).catch(() => undefined);
    const { vdbs, snapshots } = await stageBackup(folder, bytes, mounted);
    say(`${stagedBackup(folder)}: ${vdbs} VDBs, ${snapshots} snapshots`);
    try {
      await askEngine(folder, "stop");
      say("the engine stops; its next start begins with the backup's catalogue");
    } catch (error) {
      if (!(error instanceof NoEngine)) throw error;
      say("the engine's next start begins with the backup's catalogue");
    }
    return 0;
  },
};

const decodeKey = object({ key: string }, {});
const decodeKeys = object({ keys: list(object({ name: string, created: string }, { last_used: string })) }, {});
const decodeChecked = object(
  {
    compared: object({ vdbs: number, timeflows: number, snapshots: number }, {}),
    busy: list(string),
    differences: list(string),
  },
  {},
);

const asked = async <T>(folder: string, word: string, decode: Decoder<T>, subject?: string): Promise<T> =>
  decode(JSON.parse((await askEngine(folder, word, subject)).toString()), "the engine's answer");

function required(subject: string | undefined): string {
  if (subject === undefined || subject === "") throw new Error(usage);
  return subject;
}
