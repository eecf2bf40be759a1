import { defineKind, type ObjectOf } from "../kind.ts";
import { onceMade } from "./once-made.ts";
import { postgresVdbSpec } from "./spec.ts";
import { postgresVdbStatus } from "./status.ts";

/** A virtual PostgreSQL database: its source, its settings, its life. */
export const postgresVDB = defineKind({
  group: "core.delphix.com",
  version: "v1alpha1",
  kind: "PostgresVDB",
  plural: "postgresvdbs",
  shortNames: ["pvdb", "vdb"],
  description:
    "A virtual PostgreSQL database: created in seconds from a dSource, a volume or a snapshot, and kept as declared here.",
  spec: postgresVdbSpec,
  status: postgresVdbStatus,
  columns: [
    { name: "PVC", type: "string", jsonPath: ".status.pvcName", description: "The claim that holds the data." },
    { name: "Port", type: "integer", jsonPath: ".spec.port", description: "The port of the Service." },
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where the database stands." },
    { name: "Ready", type: "boolean", jsonPath: ".status.ready", description: "Whether clients can use it." },
    { name: "DelphixVDB", type: "string", jsonPath: ".status.delphixVDB", description: "The name of the VDB in DCT." },
    { name: "DelphixID", type: "string", jsonPath: ".status.delphixID", description: "The id of the VDB in DCT.", wide: true },
    { name: "Freshness", type: "date", jsonPath: ".status.dataTimestamp", description: "How old the data is.", wide: true },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "How old the object is." },
  ],
  rules: [
    {
      rule: "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      fieldPath: ".metadata.name",
      message:
        "must be at most 63 lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit, for example my-postgres-vdb (the Service has the same name)",
    },
    ...onceMade,
  ],
});
export type PostgresVDB = ObjectOf<typeof postgresVDB>;
