import type { PostgresVDB } from "@vdb/api";
import type { OperatorConfig } from "../../config.ts";
import { checkpoint, serverOf } from "../../vdb/pod/checkpoint.ts";
import type { World } from "../../vdb/world.ts";
import type { DataSource } from "../source.ts";
import { databaseOn } from "./database-on.ts";
import type { Checkpoint } from "./stage.ts";

/** What the sources of plain CSI act through, beside the client of the run. */
export interface CsiWorld {
  readonly config: Pick<OperatorConfig, "watchNamespaces" | "allowCrossNamespace" | "defaults">;
  /** All databases of ours that are known. */
  readonly vdbs: () => readonly PostgresVDB[];
  /** Whether the server of a database of ours can be asked. stopped: it has no pod, so its files rest. */
  readonly serverOf: (vdb: PostgresVDB) => "answers" | "stopped" | "silent";
  readonly checkpoint: Checkpoint;
  /** That of the volumes of our own driver, which DCT knows; DCT need not be configured. */
  readonly dct: Pick<DataSource, "setAttached">;
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
}

export interface Name {
  readonly namespace: string;
  readonly name: string;
}

export interface CsiWorldParts extends Pick<World, "exec"> {
  readonly config: CsiWorld["config"];
  readonly caches: Pick<World["caches"], "vdbs" | "pods">;
  readonly dct: CsiWorld["dct"];
  readonly now: () => number;
}

export function csiWorldOf({ config, caches, exec, dct, now }: CsiWorldParts): CsiWorld {
  const world = { caches, exec };
  return {
    config,
    vdbs: () => caches.vdbs.list(),
    serverOf: (vdb) => serverOf(world, vdb, now()),
    checkpoint: async ({ namespace, name }, signal) => {
      const vdb = databaseOn(caches.vdbs.list(namespace), namespace, name);
      return vdb === undefined || serverOf(world, vdb, now()) !== "answers" ? undefined : await checkpoint(world, vdb, signal);
    },
    dct,
    now,
  };
}
