import { postgresRefresh, vdbRefresh } from "./actions/refreshes.ts";
import { postgresRewind, vdbRewind } from "./actions/rewinds.ts";
import { postgresSnapshot, vdbSnapshot } from "./actions/snapshots.ts";
import { postgresTask, task } from "./actions/tasks.ts";
import type { Kind } from "./kind.ts";
import { postgresVDB } from "./vdb/postgres-vdb.ts";

/** The eight actions, in the order of the documentation. */
export const actionKinds = [
  vdbSnapshot,
  vdbRefresh,
  vdbRewind,
  task,
  postgresSnapshot,
  postgresRefresh,
  postgresRewind,
  postgresTask,
] as const;
export type ActionKind = (typeof actionKinds)[number];

/** The nine kinds: everything that is generated is made from this list. */
export const kinds: readonly Kind[] = [postgresVDB, ...actionKinds];
