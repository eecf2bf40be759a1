/** What pg_controldata prints, as far as it is needed. */
export interface ControlData {
  readonly state: string;
  /** The major, as `PG_VERSION` spells it. */
  readonly version: string;
  readonly checkpointLsn: string;
  /** Where a recovery begins. */
  readonly redoLsn: string;
  /** Of the latest checkpoint. */
  readonly timeline: number;
  readonly walSegmentBytes: number;
  readonly walLevel: string;
  readonly maxConnections: number;
  readonly maxPreparedTransactions: number;
  readonly maxLocksPerTransaction: number;
  readonly trackCommitTimestamp: boolean;
}

export function parseControlData(output: string, major: number): ControlData {
  const values = new Map(
    output.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const value = (name: string): string => {
    const found = values.get(name);
    if (found === undefined) throw new Error(`pg_controldata does not print "${name}"`);
    return found;
  };
  return {
    state: value("Database cluster state"),
    version: String(major),
    checkpointLsn: value("Latest checkpoint location"),
    redoLsn: value("Latest checkpoint's REDO location"),
    timeline: Number(value("Latest checkpoint's TimeLineID")),
    walSegmentBytes: Number(value("Bytes per WAL segment")),
    walLevel: value("wal_level setting"),
    maxConnections: Number(value("max_connections setting")),
    maxPreparedTransactions: Number(value("max_prepared_xacts setting")),
    maxLocksPerTransaction: Number(value("max_locks_per_xact setting")),
    trackCommitTimestamp: value("track_commit_timestamp setting") === "on",
  };
}

/** The state of a data folder whose server was stopped cleanly: the next start needs no recovery. */
export const cleanlyShutDown = "shut down";
