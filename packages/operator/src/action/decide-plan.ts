import type { ActionObject, ActionPlan, SnapshotStatus } from "@vdb/api";

/** A snapshot in words: by all that tells it from another. */
const snapshotWords = (snapshot: SnapshotStatus | undefined): string =>
  snapshot === undefined
    ? "no snapshot"
    : `${snapshot.name ?? snapshot.id ?? "a snapshot"}${snapshot.timestamp === undefined ? "" : ` of ${snapshot.timestamp}`}`;

/** Pure: in which way a snapshot is another than the planned one; undefined: it is that. */
export function otherSnapshot(planned: SnapshotStatus | undefined, now: SnapshotStatus | undefined): string | undefined {
  const isSame = (planned?.id ?? planned?.name) === (now?.id ?? now?.name) && planned?.timestamp === now?.timestamp;
  return isSame ? undefined : `the plan has ${snapshotWords(planned)}, and it would be ${snapshotWords(now)} by now`;
}

const listed = (all: readonly string[]): string => (all.length === 0 ? "none" : all.join(", "));
const hookWords = ({ hooks }: ActionPlan): string => listed(hooks.map(({ stage, name }) => `${stage}/${name}`));

const asPlanned = (was: string | undefined, is: string | undefined, words: (was: string, is: string) => string): string[] =>
  was === is ? [] : [words(was ?? "", is ?? "")];

/** Pure: what would be otherwise by now, in words; none: the plan holds. */
export function differences(planned: ActionPlan, now: ActionPlan): readonly string[] {
  const snapshot = otherSnapshot(planned.snapshot, now.snapshot);
  return [
    ...now.blockers.map(({ message }) => message),
    ...asPlanned(planned.contentId, now.contentId, () => "the database has had other data since"),
    ...asPlanned(String(planned.generation), String(now.generation), () => "the manifest of the database was edited"),
    ...(snapshot === undefined ? [] : [snapshot]),
    ...asPlanned(
      JSON.stringify(planned.steps),
      JSON.stringify(now.steps),
      () => "its steps are others: the operator is of another version",
    ),
    ...asPlanned(hookWords(planned), hookWords(now), (was, is) => `the plan has the hooks ${was}, and it would be ${is} by now`),
    ...asPlanned(
      listed(planned.dependants ?? []),
      listed(now.dependants ?? []),
      (was, is) => `databases that were made from this one: ${is}, and in the plan ${was}`,
    ),
  ];
}

const deed = (spec: ActionObject["spec"]): string => {
  const { deadlineSeconds: _, ttlSecondsAfterFinished: __, ...rest } = spec;
  return canonical({ ...rest, planOnly: undefined, planRef: undefined });
};

/** What makes one action the plan of another, whatever its name. */
export const sameDeed = ({ spec: a }: ActionObject, { spec: b }: ActionObject): boolean => deed(a) === deed(b);

/** The order of fields does not matter. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** Pure: how long actions that have completed have kept clients out, from the stop until the gate opened. */
export function downtimeOf(actions: readonly ActionObject[]): ActionPlan["downtime"] {
  const seconds = actions.flatMap(({ status: { phase, steps = [] } }) => {
    const [from, to] = [
      steps.find(({ name }) => name === "hold-database")?.startTime,
      steps.find(({ name }) => name === "open-database")?.completionTime,
    ];
    return phase === "Completed" && from !== undefined && to !== undefined ? [(Date.parse(to) - Date.parse(from)) / 1000] : [];
  });
  const sorted = seconds.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  return middle === undefined ? undefined : { seconds: Math.max(0, Math.round(middle)), runs: sorted.length };
}
