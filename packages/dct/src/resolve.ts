/** From the names that people write to the objects that DCT knows. What cannot be found is answered with the choices there are. */
import type { DctClient } from "./client.ts";
import type { DSource, Snapshot, Vdb } from "./contract/datasets.ts";
import type { DatasetGroup, Engine, Environment } from "./contract/places.ts";
import { allOf, anyOf, eq, isQuotable } from "./filter.ts";

export type UnresolvedReason =
  | "BadReference" // not of the form engine:dataset, or a text no search can carry
  | "EngineNotFound"
  | "EngineAmbiguous"
  | "SourceNotFound"
  | "SourceAmbiguous"
  | "GroupNotFound"
  | "GroupAmbiguous"
  | "EnvironmentNotFound"
  | "EnvironmentAmbiguous";

/** Found, or why not: `message` is for people and lists the choices. An outage is thrown as DctError instead. */
export type Resolved<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: UnresolvedReason; readonly message: string };

export interface Dataset {
  readonly engine: Engine;
  readonly kind: "dSource" | "VDB";
  readonly dataset: DSource | Vdb;
  /** The newest point in time, or undefined while there is none yet. */
  readonly latestSnapshot: Snapshot | undefined;
}

type Finder = Pick<
  DctClient,
  "searchEngines" | "searchDSources" | "searchVdbs" | "searchSnapshots" | "searchGroups" | "searchEnvironments"
>;

const found = <T>(value: T): Resolved<T> => ({ ok: true, value });
const unresolved = (reason: UnresolvedReason, message: string): Resolved<never> => ({ ok: false, reason, message });

/** `engine:dataset`, split at its first colon; the dataset is a dSource, else a VDB. */
export async function resolveDataset(client: Finder, reference: string, signal?: AbortSignal): Promise<Resolved<Dataset>> {
  const colon = reference.indexOf(":");
  const [engineName, name] = [reference.slice(0, colon).trim(), reference.slice(colon + 1).trim()];
  if (colon < 0 || engineName === "" || name === "") {
    return unresolved("BadReference", `"${reference}" does not have the form engine:dataset, for example delphix-engine:orders`);
  }
  const engine = await resolveEngine(client, engineName, signal);
  if (!engine.ok) return engine;
  const hit = await datasetOf(client, engine.value, name, signal);
  if (!hit.ok) return hit;
  const [latestSnapshot] = await client.searchSnapshots(eq("dataset_id", hit.value.dataset.id), {
    sort: "-timestamp",
    limit: 1,
    signal,
  });
  return found({ engine: engine.value, ...hit.value, latestSnapshot });
}

/** An engine by its name or host name. */
export async function resolveEngine(
  client: Pick<DctClient, "searchEngines">,
  name: string,
  signal?: AbortSignal,
): Promise<Resolved<Engine>> {
  if (!isQuotable(name)) return unsearchable("engine", name);
  const hits = await client.searchEngines(anyOf(eq("name", name), eq("hostname", name)), { signal });
  if (hits.length > 1)
    return unresolved(
      "EngineAmbiguous",
      `${hits.length} engines are named "${name}" (ids ${list(hits.map(({ id }) => id))}): rename one in DCT`,
    );
  const [engine] = hits;
  if (engine !== undefined) return found(engine);
  const known = await client.searchEngines(undefined, { sort: "name", limit: listed, signal });
  return unresolved("EngineNotFound", `there is no engine "${name}"; known engines: ${list(known.map((one) => one.name))}`);
}

async function datasetOf(
  client: Finder,
  engine: Engine,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Resolved<Pick<Dataset, "kind" | "dataset">>> {
  if (!isQuotable(name)) return unsearchable("dataset", name);
  const onEngine = eq("engine_id", engine.id);
  const named = allOf(eq("name", name), onEngine);
  const dSources = await client.searchDSources(named, { signal });
  const hits = dSources.length > 0 ? dSources : await client.searchVdbs(named, { signal });
  const kind = dSources.length > 0 ? "dSource" : "VDB";
  const [dataset] = hits;
  if (hits.length > 1) {
    const groups = list(hits.map((one) => one.group_name ?? "?"));
    return unresolved(
      "SourceAmbiguous",
      `engine ${engine.name} has ${hits.length} ${kind}s named "${name}", in the groups ${groups}: rename one in DCT`,
    );
  }
  if (dataset !== undefined) return found({ kind, dataset });
  const known = await client.searchDSources(onEngine, { sort: "name", limit: listed, signal });
  const names = list(known.map((one) => one.name ?? one.id));
  return unresolved(
    "SourceNotFound",
    `engine ${engine.name} has neither a dSource nor a VDB named "${name}"; its dSources: ${names}`,
  );
}

/** A dataset group of an engine by name. */
export async function resolveGroup(
  client: Pick<DctClient, "searchGroups">,
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<Resolved<DatasetGroup>> {
  if (!isQuotable(name)) return unsearchable("group", name);
  const onEngine = eq("engine_id", engine.id);
  const hits = await client.searchGroups(allOf(eq("name", name), onEngine), { signal });
  if (hits.length > 1)
    return unresolved("GroupAmbiguous", `engine ${engine.name} has ${hits.length} groups named "${name}": rename one in DCT`);
  const [group] = hits;
  if (group !== undefined) return found(group);
  const known = await client.searchGroups(onEngine, { sort: "name", limit: listed, signal });
  return unresolved(
    "GroupNotFound",
    `engine ${engine.name} has no group "${name}"; its groups: ${list(known.map((one) => one.name))}`,
  );
}

/** An environment of an engine by name; without a name the only one there is. */
export async function resolveEnvironment(
  client: Pick<DctClient, "searchEnvironments">,
  engine: Engine,
  name: string | undefined,
  signal?: AbortSignal,
): Promise<Resolved<Environment>> {
  if (name !== undefined && !isQuotable(name)) return unsearchable("environment", name);
  const all = await client.searchEnvironments(eq("engine_id", engine.id), { sort: "name", signal });
  const hits = name === undefined ? all : all.filter((one) => one.name === name);
  const choices = list(all.map((one) => one.name));
  const [environment] = hits;
  if (hits.length > 1) {
    return name === undefined
      ? unresolved("EnvironmentAmbiguous", `engine ${engine.name} has several environments: name one of ${choices}`)
      : unresolved(
          "EnvironmentAmbiguous",
          `engine ${engine.name} has ${hits.length} environments named "${name}": rename one in DCT`,
        );
  }
  if (environment !== undefined) return found(environment);
  const wanted = name === undefined ? "no environment" : `no environment "${name}"`;
  return unresolved("EnvironmentNotFound", `engine ${engine.name} has ${wanted}; its environments: ${choices}`);
}

const unsearchable = (what: string, name: string): Resolved<never> =>
  unresolved("BadReference", `the ${what} name ${JSON.stringify(name)} contains both kinds of quotes or control characters`);

/** So many choices a message lists: it has to stay readable in a condition. */
const listed = 20;

/** Sorted, so that a message is the same each time. */
function list(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.toSorted().slice(0, listed).join(", ");
  return names.length >= listed ? `${shown}, …` : shown;
}
