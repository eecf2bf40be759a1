import { type ConditionValue, done, findCondition } from "kube-runtime";
import { haveMoved, type StorageLevel } from "../../data/storage.ts";
import type { PlainVdbStep } from "../context.ts";

/**
 * Tells how many bytes the database alone holds, where DCT counts them.
 * StorageHealthy: whether the storage that the data lies on has free space; an event when that changes. Ready ignores it: a
 * database on a full storage answers, and reading works. Absent where the engine gives no figures.
 */
export const tellStorage: PlainVdbStep = {
  name: "tellStorage",
  run: async ({ run, vdb, world }) => {
    const bytes = world.storage.bytesOf(vdb);
    if (bytes !== undefined && haveMoved(vdb.status.ownBytes, bytes.own)) run.status.ownBytes = bytes.own;
    const storage = world.storage.of(vdb);
    if (storage === undefined) return done();
    const { engine, level } = storage;
    const before = findCondition(vdb.status.conditions, "StorageHealthy");
    if (level === "unknown") {
      if (before !== undefined) run.setCondition(before); // of an operator that ran before
      return done();
    }
    const condition = storageCondition(engine, level);
    run.setCondition(condition);
    if (before?.reason !== condition.reason && (before !== undefined || condition.status === "False"))
      run.event(condition.status === "True" ? "Normal" : "Warning", condition.reason, condition.message);
    return done();
  },
};

const whatToDo = "delete VDBs or snapshots, or enlarge the engine's storage";

function storageCondition(engine: string, level: StorageLevel): ConditionValue {
  const type = "StorageHealthy";
  switch (level) {
    case "roomLeft":
      return { type, status: "True", reason: "RoomLeft", message: `the storage of engine ${engine} has free space` };
    case "nearlyFull":
      return {
        type,
        status: "False",
        reason: "PoolNearlyFull",
        message: `the storage of engine ${engine} has only its reserve left: the engine refuses new copies and snapshots, and growing databases fill the reserve; ${whatToDo}`,
      };
    case "full":
      return {
        type,
        status: "False",
        reason: "PoolFull",
        message: `the storage of engine ${engine} is full: databases on it cannot write ("No space left on device"); ${whatToDo}`,
      };
    default:
      return level satisfies never;
  }
}
