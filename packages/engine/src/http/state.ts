import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Runner } from "../jobs/runner.ts";
import type { StreamState } from "../link/standbys.ts";
import type { Pool } from "../pool/pool.ts";
import type { Sizes } from "../sizes.ts";
import type { StorageFigures } from "../storage.ts";

/** What the routes work with. */
export interface ApiState {
  readonly catalogue: Catalogue;
  readonly pool: Pool;
  readonly sizes: Sizes;
  /** How its standby does; undefined: the dSource has none. */
  readonly streamOf: (dSourceId: string) => StreamState | undefined;
  readonly runner: Runner;
  readonly storageFigures: () => StorageFigures;
  /** May change with the configuration. */
  readonly engineName: () => string;
  readonly nodeName: string;
  readonly publicHost: string;
  readonly version: string;
}
