import { optionalDuration } from "../fields/duration.ts";
import { schema, type TypeOf } from "../schema.ts";

export const snapshots = schema({
  type: "object",
  description:
    "How long the VolumeSnapshots are kept that VDBSnapshots and PostgresSnapshots take of this database. Left out: until somebody deletes them. The operator deletes those beyond a limit, the oldest first, but none that a bookmark, another database or an unfinished action needs, and none that something else has made.",
  required: [],
  properties: {
    keep: {
      type: "integer",
      format: "int32",
      description: "So many are kept, the newest.",
      minimum: 1,
      maximum: 1000,
      example: 7,
    },
    maxAge: optionalDuration({
      description: "Those that are younger are kept.",
      minimum: "1m",
      maximum: "87600h",
      example: "168h",
    }),
  },
});
export type VdbSnapshots = TypeOf<typeof snapshots>;
