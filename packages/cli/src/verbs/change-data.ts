/** The verbs snapshot, refresh, rewind and undo: each creates one action on a database. */
import { type ActionKind, type PostgresVDB, vdbRefresh, vdbRewind, vdbSnapshot } from "@vdb/api";
import { type Command, Option } from "commander";
import { Complaint } from "../complaint.ts";
import type { World } from "../world.ts";
import { type ActFlags, act, addActOptions } from "./act.ts";
import { type End, milliseconds, moment } from "./options.ts";

/** Which data, and what becomes of the old. */
export interface DataFlags extends ActFlags {
  readonly snapshot?: string;
  readonly bookmark?: string;
  readonly volumeSnapshot?: string;
  readonly at?: string;
  readonly keepPrevious?: string;
  readonly plan?: string;
}

/** A verb that creates one action, and what it asks for. */
interface DataVerb {
  readonly kind: ActionKind;
  readonly description: string;
  readonly addOptions: (command: Command) => Command;
  /** Pure. */
  readonly spec: (database: string, flags: DataFlags) => object;
  readonly admit?: (vdb: PostgresVDB) => void;
}

/** Without those that only name an action: their plans differ in nothing else. */
export const dataVerbs: Readonly<Record<"snapshot" | "refresh" | "rewind" | "undo", DataVerb>> = {
  snapshot: {
    kind: vdbSnapshot,
    description: "take a snapshot of a database (VDBSnapshot)",
    addOptions: (command) => command.option("--bookmark <name>", "make a DCT bookmark of it, too"),
    spec: (database, { bookmark }) => ({
      vdbRef: { name: database },
      ...(bookmark === undefined ? {} : { bookmarkName: bookmark }),
    }),
  },
  refresh: {
    kind: vdbRefresh,
    description: "give a database its source's latest data, or that of a snapshot of the source (VDBRefresh)",
    addOptions: addSnapshotOptions,
    spec: dataSpec,
  },
  rewind: {
    kind: vdbRewind,
    description: "take a database back to its own latest snapshot, or to another one of it (VDBRewind)",
    addOptions: addSnapshotOptions,
    spec: dataSpec,
  },
  undo: {
    kind: vdbRewind,
    description: "bring back the data that the last refresh or rewind replaced (VDBRewind to previous)",
    addOptions: addKeepOption,
    spec: (database, flags) => ({ ...dataSpec(database, flags), snapshotRef: { type: "previous" } }),
    admit: hasPrevious,
  },
};

export function defineDataVerbs(program: Command, world: World, end: End): void {
  for (const [verb, { kind, description, addOptions, spec, admit }] of Object.entries(dataVerbs))
    addOptions(addActOptions(program.command(verb)))
      .description(description)
      .argument("<database>", "the PostgresVDB's name")
      .option("--plan <name>", "refuse to begin if it would do something else than this plan; see kubectl vdb plan")
      .action(async (database: string, _flags: unknown, command: Command) => {
        const flags = command.optsWithGlobals<DataFlags>();
        const { plan } = flags;
        const asked = { ...spec(database, flags), ...(plan === undefined ? {} : { planRef: { name: plan } }) };
        end(await act(world, flags, { kind, verb, database, spec: asked, ...(admit === undefined ? {} : { admit }) }));
      });
}

export function addSnapshotOptions(command: Command): Command {
  const ways = ["snapshot", "bookmark", "volumeSnapshot", "at"];
  const others = (own: string): string[] => ways.filter((way) => way !== own);
  return addKeepOption(command)
    .addOption(new Option("--snapshot <id>", "a DCT snapshot by its id or name").conflicts(others("snapshot")))
    .addOption(new Option("--bookmark <name>", "a DCT bookmark").conflicts(others("bookmark")))
    .addOption(new Option("--volume-snapshot <name>", "a VolumeSnapshot").conflicts(others("volumeSnapshot")))
    .addOption(
      new Option("--at <moment>", "the newest snapshot at or before, for example 2026-01-31T12:00:00Z")
        .argParser(moment)
        .conflicts(others("at")),
    );
}

function addKeepOption(command: Command): Command {
  return command.option(
    "--keep-previous <duration>",
    "how long the old data stays for undo, for example 24h; 0s: not at all",
    duration,
  );
}

/** The text itself, for the API server reads it as we do. */
function duration(text: string): string {
  milliseconds(text);
  return text;
}

/** Pure: the spec of a VDBRefresh or VDBRewind. */
export function dataSpec(database: string, { snapshot, bookmark, volumeSnapshot, at, keepPrevious }: DataFlags): object {
  const named = Object.entries({
    "dct-snapshot": snapshot,
    "dct-bookmark": bookmark,
    "volume-snapshot": volumeSnapshot,
    timestamp: at,
  }).flatMap(([type, name]) => (name === undefined ? [] : [{ type, name }]));
  return {
    vdbRef: { name: database },
    ...(named[0] === undefined ? {} : { snapshotRef: named[0] }),
    ...(keepPrevious === undefined ? {} : { previousRetention: keepPrevious }),
  };
}

/** Without previous data the action could only fail. */
function hasPrevious({ metadata: { namespace, name }, status }: PostgresVDB): void {
  if (status.previous === undefined)
    throw new Complaint(`there is nothing to undo: PostgresVDB ${namespace}/${name} has no previous data`, [
      "the operator keeps what a refresh or rewind replaces as long as its previousRetention says, 24h unless told",
      "to go back to a snapshot instead: kubectl vdb rewind",
    ]);
}
