import type { DataSource } from "../source.ts";

/** What a claim is copied from has to be in its own namespace. */
export const stage: DataSource["stage"] = async (_, __, { from }) =>
  from === undefined
    ? { kind: "ready", dataSource: undefined }
    : { kind: "ready", dataSource: dataSourceOf(from.kind, from.name) };

export const unstage: DataSource["unstage"] = async () => undefined;

const dataSourceOf = (kind: "PersistentVolumeClaim" | "VolumeSnapshot", name: string) =>
  kind === "VolumeSnapshot" ? { apiGroup: "snapshot.storage.k8s.io", kind, name } : { kind, name };
