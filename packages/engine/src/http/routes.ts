import type { Route } from "./router.ts";
import { bookmarkRoutes } from "./routes/bookmarks.ts";
import { contentRoutes } from "./routes/content.ts";
import { dependencyRoutes } from "./routes/dependencies.ts";
import { dSourceRoutes } from "./routes/dsources.ts";
import { environmentRoutes } from "./routes/environments.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { listRoutes } from "./routes/lists.ts";
import { provisionRoutes } from "./routes/provision.ts";
import { snapshotRoutes } from "./routes/snapshots.ts";
import { tagRoutes } from "./routes/tags.ts";
import { timeflowRoutes } from "./routes/timeflows.ts";
import { vdbRoutes } from "./routes/vdbs.ts";
import type { ApiState } from "./state.ts";

/** Everything the API answers, in the order in which paths are tried. */
export const allRoutes = (state: ApiState): readonly Route[] => [
  ...listRoutes(state),
  ...dSourceRoutes(state),
  ...snapshotRoutes(state),
  ...provisionRoutes(state),
  ...environmentRoutes(state),
  ...jobRoutes(state),
  ...dependencyRoutes(state),
  ...vdbRoutes(state),
  ...contentRoutes(state),
  ...timeflowRoutes(state),
  ...bookmarkRoutes(state),
  ...tagRoutes(state),
];
