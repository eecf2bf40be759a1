import { claimsOf, type PostgresVDB, sourceReference } from "@vdb/api";
import type { Output } from "../world.ts";
import { ageOf } from "./age.ts";
import { painted, toneOfPhase } from "./style.ts";

/** A VolumeSnapshot as far as lineage needs it: of which claim. */
export interface SnapshotOfClaim {
  readonly namespace: string;
  readonly name: string;
  readonly claim: string | undefined;
}

/** One line of the tree and what hangs below it. */
interface Branch {
  readonly text: string;
  readonly children: Branch[];
}

/** Pure: who is a copy of whom, over all namespaces that were seen. A parent that is no database is a root of its own. */
export function treeText(
  output: Output,
  databases: readonly PostgresVDB[],
  snapshots: readonly SnapshotOfClaim[],
  now: number,
): string {
  const roots = new Map<string, Branch>();
  const branches = new Map(
    databases.map((vdb) => [vdb.metadata.uid, { text: lineOf(output, vdb, now), children: [] as Branch[] }]),
  );
  for (const vdb of databases) {
    const branch = branches.get(vdb.metadata.uid);
    if (branch === undefined) continue;
    const { key, text, parent } = parentIn(vdb, databases, snapshots);
    const above = parent === undefined ? undefined : branches.get(parent.metadata.uid);
    if (above !== undefined && !descends(above, branch)) above.children.push(branch);
    else roots.set(key, { text, children: [...(roots.get(key)?.children ?? []), branch] });
  }
  return [...roots.values()].flatMap((root) => [root.text, ...linesBelow(root.children, "")].map((line) => `${line}\n`)).join("");
}

function lineOf(output: Output, { metadata: { namespace, name }, status }: PostgresVDB, now: number): string {
  const age = status.dataTimestamp === undefined ? "" : `, data ${ageOf(status.dataTimestamp, now)} old`;
  return `${namespace}/${name}  ${painted(output, toneOfPhase(status.phase), status.phase)}${age}`;
}

interface Parent {
  readonly key: string;
  /** What it is called when it is no database that was seen. */
  readonly text: string;
  readonly parent: PostgresVDB | undefined;
}

function parentIn(vdb: PostgresVDB, all: readonly PostgresVDB[], snapshots: readonly SnapshotOfClaim[]): Parent {
  const source = sourceReference(vdb.spec.source, vdb.metadata.namespace);
  const others = all.filter(({ metadata }) => metadata.uid !== vdb.metadata.uid);
  if (source.type === "dct-source") {
    const text = `${source.engine}:${source.name}`;
    return { key: text, text, parent: others.find(({ status }) => status.delphixVDB === source.name) };
  }
  const { namespace, name } = source;
  if (source.type === "k8s-snapshot") {
    const claim = snapshots.find((one) => one.namespace === namespace && one.name === name)?.claim;
    return {
      key: `snapshot ${namespace}/${name}`,
      text: `${namespace}/${name} (VolumeSnapshot)`,
      parent: ownerOf(others, namespace, claim),
    };
  }
  const parent = source.type === "pvc-clone" ? ownerOf(others, namespace, name) : undefined;
  return { key: `claim ${namespace}/${name}`, text: `${namespace}/${name} (claim)`, parent };
}

/** Pure: the databases that were made from this one. */
export const copiesOf = (
  vdb: PostgresVDB,
  all: readonly PostgresVDB[],
  snapshots: readonly SnapshotOfClaim[],
): readonly PostgresVDB[] => all.filter((other) => parentIn(other, all, snapshots).parent?.metadata.uid === vdb.metadata.uid);

const ownerOf = (all: readonly PostgresVDB[], namespace: string, claim: string | undefined): PostgresVDB | undefined =>
  claim === undefined
    ? undefined
    : all.find(({ metadata, status }) => metadata.namespace === namespace && claimsOf(status).includes(claim));

/** Names that go in a circle must not hide their databases. */
const descends = (above: Branch, branch: Branch): boolean =>
  above === branch || branch.children.some((child) => descends(above, child));

function linesBelow(children: readonly Branch[], indent: string): readonly string[] {
  return children.flatMap(({ text, children: below }, at) => {
    const last = at === children.length - 1;
    return [`${indent}${last ? "└─ " : "├─ "}${text}`, ...linesBelow(below, `${indent}${last ? "   " : "│  "}`)];
  });
}
