/** The verbs snapshot, refresh, rewind and undo: each creates one action on a database. */
import { type PostgresVDB, vdbRefresh, vdbRewind, vdbSnapshot } from "@vdb/api";
import { type Command, Option } from "commander";
import { Complaint } from "../complaint.ts";
import type { World } from "../world.ts";
import { type ActFlags, act, addActOptions } from "./act.ts";
import { type End, milliseconds, moment } from "./options.ts";

const databaseArgument = ["<database>", "the PostgresVDB's name"] as const;

interface SnapshotFlags extends ActFlags {
  readonly bookmark?: string;
}

/** Which data, and what becomes of the old. */
export interface DataFlags extends ActFlags {
  readonly snapshot?: string;
  readonly bookmark?: string;
  readonly volumeSnapshot?: string;
  readonly at?: string;
  readonly keepPrevious?: string;
}

export function defineDataVerbs(program: Command, world: World, end: End): void {
  addActOptions(program.command("snapshot"))
    .description("take a snapshot of a database (VDBSnapshot)")
    .argument(...databaseArgument)
    .option("--bookmark <name>", "make a DCT bookmark of it, too")
    .action(async (database: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<SnapshotFlags>();
      const spec = { vdbRef: { name: database }, ...(flags.bookmark === undefined ? {} : { bookmarkName: flags.bookmark }) };
      end(await act(world, flags, { kind: vdbSnapshot, verb: "snapshot", database, spec }));
    });

  addSnapshotOptions(addActOptions(program.command("refresh")))
    .description("give a database its source's latest data, or that of a snapshot of the source (VDBRefresh)")
    .argument(...databaseArgument)
    .action(async (database: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DataFlags>();
      end(await act(world, flags, { kind: vdbRefresh, verb: "refresh", database, spec: dataSpec(database, flags) }));
    });

  addSnapshotOptions(addActOptions(program.command("rewind")))
    .description("take a database back to its own latest snapshot, or to another one of it (VDBRewind)")
    .argument(...databaseArgument)
    .action(async (database: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DataFlags>();
      end(await act(world, flags, { kind: vdbRewind, verb: "rewind", database, spec: dataSpec(database, flags) }));
    });

  addKeepOption(addActOptions(program.command("undo")))
    .description("bring back the data that the last refresh or rewind replaced (VDBRewind to previous)")
    .argument(...databaseArgument)
    .action(async (database: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DataFlags>();
      const spec = { ...dataSpec(database, flags), snapshotRef: { type: "previous" } };
      end(await act(world, flags, { kind: vdbRewind, verb: "undo", database, spec, admit: hasPrevious }));
    });
}

function addSnapshotOptions(command: Command): Command {
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

const addKeepOption = (command: Command): Command =>
  command.option("--keep-previous <duration>", "how long the old data stays for undo, for example 24h; 0s: not at all", duration);

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
