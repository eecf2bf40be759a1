import type { ActionPlan, PostgresVDB } from "@vdb/api";
import type { Output } from "../world.ts";
import { sizeText } from "./size.ts";
import { type Cell, table } from "./table.ts";

/** Pure: a plan in words. */
export function planPage(output: Output, title: string, plan: ActionPlan): string {
  const { snapshot, lost, dependants = [], previous, downtime } = plan;
  const phases = [...new Set(plan.steps.map(({ phase }) => phase))];
  const saved =
    lost?.savedBy === undefined
      ? "no snapshot has any of it"
      : `VolumeSnapshot ${lost.savedBy.name} of ${lost.savedBy.time} has some of it`;
  const kept =
    previous?.kept === true
      ? `the present data stays for ${previous.for ?? "a while"}, for undo`
      : "the present data is deleted: no undo";
  const rows: readonly (readonly [string, string] | undefined)[] = [
    ["phases", phases.join(", ")],
    snapshot && [
      "data",
      [snapshot.name ?? snapshot.id ?? snapshot.type ?? "", snapshot.timestamp === undefined ? "" : `of ${snapshot.timestamp}`]
        .join(" ")
        .trim(),
    ],
    ["hooks", plan.hooks.length === 0 ? "none" : plan.hooks.map(({ stage, name }) => `${stage}/${name}`).join(", ")],
    lost && [
      "lost",
      lost.since === undefined ? "nothing that is known" : `what clients have changed since ${lost.since}; ${saved}`,
    ],
    lost && ["unsaved", unsavedWords(lost)],
    previous && [
      "undo",
      previous.discards === undefined ? kept : `${kept}; the data before it (${previous.discards}) is deleted`,
    ],
    downtime && ["downtime", `about ${downtime.seconds} s, the median of the last ${downtime.runs}`],
    ["copies", dependants.length === 0 ? "none" : `${dependants.join(", ")}: they keep their data`],
  ];
  const cells = rows.flatMap((row) => (row === undefined ? [] : [row.map((text): Cell => ({ text }))]));
  return pageOf(output, title, [...cells, ...plan.blockers.map(({ reason, message }) => inTheWay(`${reason}: ${message}`))]);
}

/** How much of what is lost no snapshot has. */
function unsavedWords({ walBytes, walUnknown }: NonNullable<ActionPlan["lost"]>): string {
  if (walBytes !== undefined) return `at most ${sizeText(walBytes)} of WAL, written since the last snapshot`;
  return `an unknown amount of WAL${walUnknown === undefined ? "" : `: ${walUnknown}`}`;
}

/** What stands around a database that would be deleted, as far as its user may see it. */
interface Around {
  readonly copies: readonly string[];
  /** Whether there can be no other copies. */
  readonly areCopiesSeen: boolean;
  /** How many VolumeSnapshots of it there are; undefined: that may not be seen. */
  readonly snapshots: number | undefined;
}

/** Pure: what `kubectl delete postgresvdb` would do. */
export function deletionPage(output: Output, vdb: PostgresVDB, { copies, areCopiesSeen, snapshots }: Around): string {
  const { spec, status, metadata } = vdb;
  const claim = status.pvcName ?? "none yet";
  const isKept = spec.deletionPolicy === "Retain";
  const under = spec.source.type === "dct-source" ? "its VDB in DCT" : "its volume";
  const others = areCopiesSeen ? [] : ["perhaps others, which you may not see"];
  const rows: readonly (readonly [string, string])[] = [
    ["data", isKept ? `claim ${claim} stays: deletionPolicy is Retain` : `claim ${claim} and ${under} are deleted`],
    ["previous", status.previous === undefined ? "none" : isKept ? "stays too" : "is deleted too"],
    [
      "snapshots",
      snapshots === undefined
        ? "unknown: you may not see VolumeSnapshots; those that there are stay, and may keep the deletion waiting"
        : snapshots === 0
          ? "none"
          : `${snapshots} VolumeSnapshots stay, and may keep the deletion waiting`,
    ],
    ["copies", copies.length + others.length === 0 ? "none" : `${[...copies, ...others].join(", ")}: they keep their data`],
  ];
  const lift = `kubectl patch postgresvdb ${metadata.name} -n ${metadata.namespace} --type=merge -p '{"spec":{"protected":false}}'`;
  const cells = rows.map((row) => row.map((text): Cell => ({ text })));
  const blockers = spec.protected ? [inTheWay(`it is protected; to lift that: ${lift}`)] : [];
  return pageOf(output, `The deletion of PostgresVDB ${metadata.namespace}/${metadata.name}`, [...cells, ...blockers]);
}

const inTheWay = (text: string): readonly Cell[] => [{ text: "in the way", tone: "bad" }, { text }];
const pageOf = (output: Output, title: string, rows: readonly (readonly Cell[])[]): string =>
  `${title}
${table(output, rows).replaceAll(/^(?=.)/gmu, "  ")}`;
