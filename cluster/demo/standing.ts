/** What of the demo stands in a cluster of the user's, and what it may therefore make or delete there. */
import { releases } from "../stack/install.ts";
import { at, items, parseJson, text } from "../stack/json.ts";
import type { Kubectl } from "../stack/kubectl.ts";
import { madeLabel, productionNamespace } from "../stack/production.ts";

export const demoNamespaces: readonly string[] = [...releases.map(({ namespace }) => namespace), productionNamespace];

export type Standing = {
  /** Those of the demo's namespaces that exist: true where the demo made them. */
  readonly namespaces: Readonly<Record<string, boolean>>;
  /** `namespace/name` of each Helm release of our charts. */
  readonly releases: readonly string[];
  /** `namespace/name` of each PostgresVDB, wherever it is: one operator and one engine serve them all. */
  readonly vdbs: readonly string[];
};

export async function look(kubectl: Kubectl): Promise<Standing> {
  const namespaces: Record<string, boolean> = {};
  for (const name of demoNamespaces) {
    const found = await kubectl.get("namespace", name);
    if (found !== undefined) namespaces[name] = text(found, "metadata", "labels", madeLabel) === "true";
  }
  const installed = items(parseJson(await kubectl.helm(["list", "--all-namespaces", "--max", "100000", "--output", "json"])));
  const ours = installed.filter((release) => /^delphix-(?:operator|storage)-\d/u.test(text(release, "chart")));
  const served = (await kubectl.get("crd", "postgresvdbs.core.delphix.com")) !== undefined;
  const vdbs = served ? await kubectl.list("postgresvdb") : [];
  return {
    namespaces,
    releases: ours.map((release) => `${text(release, "namespace")}/${text(release, "name")}`),
    vdbs: vdbs.map((vdb) => `${text(at(vdb, "metadata"), "namespace")}/${text(at(vdb, "metadata"), "name")}`),
  };
}

/** Why the demo must not be installed there; none: it may. */
export function obstacles(standing: Standing): readonly string[] {
  const foreign = Object.keys(standing.namespaces).filter((name) => !madeByDemo(standing, name));
  const others = standing.releases.filter((release) => !madeByDemo(standing, release.split("/")[0] ?? ""));
  return [
    ...foreign.map((name) => `namespace ${name} exists, and the demo did not create it`),
    ...others.map((release) => `Helm release ${release} is installed, and the demo did not create it`),
  ];
}

export type Removal = {
  readonly vdbs: readonly string[];
  readonly releases: readonly { readonly chart: string; readonly namespace: string }[];
  readonly namespaces: readonly string[];
};

/** What is the demo's to delete: the namespaces that it made, and what its operator serves, wherever that is. */
export function removal(standing: Standing): Removal {
  const ours = releases.filter(
    ({ chart, namespace }) => madeByDemo(standing, namespace) && standing.releases.includes(`${namespace}/${chart}`),
  );
  return {
    vdbs: ours.some(({ chart }) => chart === "delphix-operator") ? standing.vdbs : [],
    releases: ours.toReversed(), // the operator last: it cleans up after the databases
    namespaces: demoNamespaces.filter((name) => madeByDemo(standing, name)),
  };
}

function madeByDemo({ namespaces }: Standing, name: string): boolean {
  return namespaces[name] === true;
}
