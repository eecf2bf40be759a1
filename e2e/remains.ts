import { at, inNode, type Kubectl, text, withEngine } from "@vdb/cluster";
import type { VdbOptions } from "./vdb.ts";

/** Where a VDB leaves something, and what is found there; "" = nothing. */
export type Remains = Readonly<
  Record<"pod" | "deployment" | "service" | "configMap" | "pvc" | "pv" | "dctVdb" | "subvolume" | "mount", string>
>;
type Known = { readonly volume: string; readonly id: string };

/** Looks for everything that belongs to a VDB. `earlier` says what to look for when the object itself is gone. */
export async function remains(kubectl: Kubectl, vdb: VdbOptions, earlier?: Remains): Promise<Remains> {
  const { name, namespace } = vdb;
  const known = earlier === undefined ? await identify(kubectl, vdb) : { volume: earlier.pv, id: earlier.dctVdb };
  const names = async (kind: string, args: readonly string[]): Promise<string> =>
    await kubectl.run(["get", kind, "-n", namespace, ...args, "--ignore-not-found", "-o", "name"]);
  const pool = "/var/lib/delphix-engine/pool";
  return {
    pod: await names("pods", ["-l", `app.kubernetes.io/instance=${name}`]),
    deployment: await names("deployment", [name]),
    service: await names("service", [name]),
    configMap: await names("configmaps", ["-l", `app.kubernetes.io/instance=${name}`]),
    pvc: await names("pvc", ["-l", `app.kubernetes.io/instance=${name}`]),
    pv: (await kubectl.get("pv", known.volume)) === undefined ? "" : known.volume,
    dctVdb: await withEngine(kubectl, async (engine) => ((await engine.getVdb(known.id)) === undefined ? "" : known.id)),
    subvolume: lines(await inNode(["btrfs", "subvolume", "list", pool]), `vdbs/${known.id}`),
    mount: lines(await inNode(["cat", "/proc/self/mountinfo"]), `/vdbs/${known.id} `),
  };
}

async function identify(kubectl: Kubectl, { name, namespace }: VdbOptions): Promise<Known> {
  const status = at(await kubectl.get("postgresvdb", name, namespace), "status");
  return { volume: text(status, "delphixVDB"), id: text(status, "delphixID") };
}

const lines = (all: string, part: string): string =>
  all
    .split("\n")
    .filter((line) => `${line} `.includes(part))
    .join("\n");
