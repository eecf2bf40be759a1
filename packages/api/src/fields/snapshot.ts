import { schema, type TypeOf } from "../schema.ts";

/** A snapshot as a status names it: by all the names that it has. */
export const snapshotStatus = schema({
  type: "object",
  description: "The snapshot that the action took or used, with all its names.",
  required: [],
  properties: {
    type: {
      type: "string",
      description: "What kind of snapshot it is.",
      enum: ["dct-snapshot", "dct-bookmark", "volume-snapshot", "previous"],
    },
    name: {
      type: "string",
      description: "The name to give in a snapshotRef: a VolumeSnapshot's name, a bookmark's name or a DCT id.",
      maxLength: 512,
    },
    namespace: { type: "string", description: "The namespace of a VolumeSnapshot.", maxLength: 63 },
    id: { type: "string", description: "The DCT snapshot id, for example 1-APPDATA_SNAPSHOT-1029.", maxLength: 512 },
    timestamp: { type: "string", format: "date-time", description: "The moment whose data the snapshot holds." },
    readyToUse: { type: "boolean", description: "Whether a database can use it." },
    sizeBytes: {
      type: "integer",
      format: "int64",
      minimum: 0,
      example: 0,
      description: "The size of a volume restored from it.",
    },
  },
});
export type SnapshotStatus = TypeOf<typeof snapshotStatus>;
