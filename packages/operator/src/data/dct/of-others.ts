import type { PostgresVDB } from "@vdb/api";
import type { Cache } from "kube-runtime";
import type { OperatorConfig } from "../../config.ts";
import { vdbsByHandle } from "../../vdb/context.ts";
import { mustBeGranted } from "../granted.ts";
import type { DctSourceOptions } from "./dct-source.ts";

/**
 * DCT knows no namespaces: by its name in DCT anybody could copy a database of another team. Databases of another operator, and VDBs
 * that no PostgresVDB stands for, are unknown here.
 */
export const mustAllowCopyOf =
  (
    vdbs: Pick<Cache<PostgresVDB>, "byIndex">,
    config: Pick<OperatorConfig, "watchNamespaces" | "allowCrossNamespace">,
  ): DctSourceOptions["mustAllowCopy"] =>
  async (client, vdb, id, signal) => {
    for (const { kind, metadata } of vdbs.byIndex(vdbsByHandle, id))
      await mustBeGranted(client, vdb, { kind, namespace: metadata.namespace, name: metadata.name }, config, signal);
  };
