import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseControlData } from "./control-data.ts";

/** As pg_controldata 16 prints it, shortened. */
const output = `pg_control version number:            1300
Database cluster state:               shut down
pg_control last modified:             Mon Nov 23 21:32:35 2026
Latest checkpoint location:           0/70000D8
Latest checkpoint's REDO location:    0/7000028
Latest checkpoint's TimeLineID:       3
wal_level setting:                    replica
max_connections setting:              100
max_prepared_xacts setting:           7
max_locks_per_xact setting:           64
track_commit_timestamp setting:       on
Bytes per WAL segment:                67108864
`;

test("what is needed is read, times with their colons included", () => {
  deepEqual(parseControlData(output, 16), {
    state: "shut down",
    version: "16",
    checkpointLsn: "0/70000D8",
    redoLsn: "0/7000028",
    timeline: 3,
    walSegmentBytes: 67_108_864,
    walLevel: "replica",
    maxConnections: 100,
    maxPreparedTransactions: 7,
    maxLocksPerTransaction: 64,
    trackCommitTimestamp: true,
  });
});

test("a line that is missing is named", () => throws(() => parseControlData("", 16), /Database cluster state/u));
