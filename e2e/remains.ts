import { at, inNode, type Kubectl, text, withEngine } from "@vdb/cluster";
import { eq } from "@vdb/dct";
import { inPool } from "./pool.ts";
import type { VdbOptions } from "./vdb.ts";

/** Where a VDB leaves something, and what is found there; "" = nothing. */
export type Remains = Readonly<
  Record<"pod" | "deployment" | "service" | "configMap" | "pvc" | "pv" | "dctVdb" | "timeflow" | "path" | "mount", string>
>;
type Known = { readonly volume: string; readonly id: string; readonly timeflows: readonly string[] };

/** Looks for everything that belongs to a VDB. `earlier` says what to look for when the object itself is gone. */
export async function remains(kubectl: Kubectl, vdb: VdbOptions, earlier?: Remains): Promise<Remains> {
  const { name, namespace } = vdb;
  const known = earlier === undefined ? await identify(kubectl, vdb) : knownFrom(earlier);
  const names = async (kind: string, args: readonly string[]): Promise<string> =>
    await kubectl.run(["get", kind, "-n", namespace, ...args, "--ignore-not-found", "-o", "name"]);
  const pool = await inPool();
  return {
    pod: await names("pods", ["-l", `app.kubernetes.io/instance=${name}`]),
    deployment: await names("deployment", [name]),
    service: await names("service", [name]),
    configMap: await names("configmaps", ["-l", `app.kubernetes.io/instance=${name}`]),
    pvc: await names("pvc", ["-l", `app.kubernetes.io/instance=${name}`]),
    pv: (await kubectl.get("pv", known.volume)) === undefined ? "" : known.volume,
    dctVdb: await withEngine(kubectl, async (engine) => ((await engine.getVdb(known.id)) === undefined ? "" : known.id)),
    timeflow: linesWith(pool, known.timeflows.map(placeOf)),
    path: linesWith(pool, [`vdbs/${known.id}`]),
    mount: linesWith(
      await inNode(["cat", "/proc/self/mountinfo"]),
      known.timeflows.map((id) => `/${placeOf(id)}`),
    ),
  };
}

async function identify(kubectl: Kubectl, { name, namespace }: VdbOptions): Promise<Known> {
  const status = at(await kubectl.get("postgresvdb", name, namespace), "status");
  const id = text(status, "delphixID");
  const timeflows = await withEngine(kubectl, async (engine) => await engine.searchTimeflows(eq("dataset_id", id)));
  return { volume: text(status, "delphixVDB"), id, timeflows: timeflows.map((one) => one.id) };
}

const placeOf = (timeflow: string): string => `timeflows/${timeflow}`;

const knownFrom = ({ pv, dctVdb, timeflow }: Remains): Known => ({
  volume: pv,
  id: dctVdb,
  timeflows: [...timeflow.matchAll(/timeflows\/(\S+)/gu)].flatMap(([, id]) => id ?? []),
});

/** The lines of which one word is one of these. */
const linesWith = (all: string, words: readonly string[]): string =>
  all
    .split("\n")
    .filter((line) => line.split(/\s/u).some((word) => words.includes(word)))
    .join("\n");
