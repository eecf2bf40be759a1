/** `check`: whether catalogue and pool say the same. It changes nothing. */
import { map } from "@vdb/dct";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { allDSources, allVdbs } from "../catalogue/datasets.ts";
import { decodeSnapshotRow, decodeTimeflowRow } from "../catalogue/rows.ts";
import { unfinishedJobs } from "../jobs/submit.ts";
import { draftOf, placeOfSnapshot, placeOfStandby, placeOfTimeflow, placeOfVdb } from "../pool/places.ts";
import { type Pool, poolFolders } from "../pool/pool.ts";

export interface Checked {
  /** How many of each agree or differ; what a job works on at this moment is not compared. */
  readonly compared: { readonly vdbs: number; readonly timeflows: number; readonly snapshots: number };
  /** What jobs work on at this moment. */
  readonly busy: readonly string[];
  readonly differences: readonly string[];
}

interface Parts {
  readonly catalogue: Catalogue;
  readonly pool: Pool;
}

/**
 * Compared twice, and only what differs both times is told: jobs that run meanwhile change the one before the other.
 */
export async function check(parts: Parts): Promise<Checked> {
  const first = await compare(parts);
  if (first.differences.length === 0) return first;
  const second = await compare(parts);
  return { ...second, differences: second.differences.filter((one) => first.differences.includes(one)) };
}

async function compare({ catalogue, pool }: Parts): Promise<Checked> {
  const busy = busyIds(catalogue);
  const expected = expectedIn(catalogue, busy);
  const compared = {
    paths: expected.paths.filter(isCompared),
    timeflows: expected.timeflows.filter(isCompared),
    snapshots: expected.snapshots.filter(isCompared),
  };
  const differences = [...damageOf(catalogue)];
  for (const { place, what } of [...compared.timeflows, ...compared.snapshots])
    if (!(await pool.has(place))) differences.push(`${what}: its data is missing from the pool (${place})`);
  for (const { place, what, leadsTo } of compared.paths) {
    const found = await pool.leadsTo(place);
    if (found !== leadsTo)
      differences.push(`${what}: its path ${place} leads to ${found ?? "nothing"}, and the catalogue says ${leadsTo}`);
  }
  const known = new Set(
    [...expected.timeflows, ...expected.snapshots, ...expected.paths, ...expected.standbys, ...placesOf(busy)].map(
      ({ place }) => place,
    ),
  );
  for (const folder of poolFolders)
    for (const name of await pool.list(folder)) {
      if (![`${folder}/${name}`, ...placesBehind(name)].some((place) => known.has(place)))
        differences.push(`${folder}/${name} is in the pool, and the catalogue does not know it`);
    }
  return {
    compared: {
      vdbs: compared.paths.length,
      timeflows: compared.timeflows.length,
      snapshots: compared.snapshots.length,
    },
    busy: [...busy].toSorted(),
    differences,
  };
}

interface Expected {
  readonly place: string;
  /** In the words of a person who looks for it. */
  readonly what: string;
  /** Not while a job works on it. */
  readonly isCompared: boolean;
}

const isCompared = (one: Pick<Expected, "isCompared">): boolean => one.isCompared;

function expectedIn(catalogue: Catalogue, busy: ReadonlySet<string>) {
  const [vdbs, dsources] = [allVdbs(catalogue), allDSources(catalogue)];
  const names = new Map([...vdbs, ...dsources].map(({ id, name }) => [id, name]));
  // A dSource's timeflow is a line in the catalogue: its bytes are those of its snapshots.
  const withoutBytes = new Set(dsources.map(({ id }) => id));
  const of = (what: string, place: (id: string) => string) => {
    return ({ id, dataset_id }: { readonly id: string; readonly dataset_id: string }): Expected => ({
      place: place(id),
      what: `${what} ${id} of ${names.get(dataset_id) ?? `${dataset_id}, which the catalogue does not know`}`,
      isCompared: !busy.has(id) && !busy.has(dataset_id),
    });
  };
  const timeflows = catalogue.all(decodeTimeflowRow, "SELECT * FROM timeflow");
  return {
    paths: vdbs.map(({ id, name, timeflow_id }) => ({
      place: placeOfVdb(id),
      what: `VDB ${name}`,
      leadsTo: placeOfTimeflow(timeflow_id),
      isCompared: !busy.has(id),
    })),
    // Each may have one, and whether it has is seen by whoever takes a snapshot.
    standbys: dsources.map(({ id }) => ({ place: placeOfStandby(id) })),
    timeflows: timeflows.filter((one) => !withoutBytes.has(one.dataset_id)).map(of("timeflow", placeOfTimeflow)),
    snapshots: catalogue.all(decodeSnapshotRow, "SELECT * FROM snapshot").map(of("snapshot", placeOfSnapshot)),
  };
}

/** The dataset of an unfinished job, and everything that the job's parameters name. */
function busyIds(catalogue: Catalogue): ReadonlySet<string> {
  const jobs = unfinishedJobs(catalogue);
  return new Set(jobs.flatMap(({ target_id, parameters }) => [target_id, ...textsIn(parameters)]));
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return typeof value === "object" && value !== null ? Object.values(map(value, "parameters")).flatMap(textsIn) : [];
}

/** Where an id may lie, whatever it is the id of. */
const placesOf = (ids: ReadonlySet<string>): readonly { readonly place: string }[] =>
  [...ids].flatMap((id) =>
    [placeOfVdb(id), placeOfTimeflow(id), placeOfSnapshot(id), placeOfStandby(id), draftOf(id)].map((place) => ({ place })),
  );

/** Where that lies which comes or goes under such a name in `work`: a path that is swapped, a folder that is copied or removed. */
function placesBehind(name: string): readonly string[] {
  const [, id] = /^(.*)\.(?:link|copy|gone)$/u.exec(name) ?? [];
  return id === undefined ? [] : placesOf(new Set([id])).map(({ place }) => place);
}

/** What SQLite finds wrong with the catalogue itself. */
function damageOf(catalogue: Catalogue): readonly string[] {
  const found = catalogue.all((row, at) => String(map(row, at)["integrity_check"]), "PRAGMA integrity_check");
  const dangling = catalogue.all((row, at) => String(map(row, at)["table"]), "PRAGMA foreign_key_check");
  return [
    ...found.filter((line) => line !== "ok").map((line) => `the catalogue is damaged: ${line}`),
    ...dangling.map((table) => `the catalogue is damaged: a row of ${table} names what is not there`),
  ];
}
