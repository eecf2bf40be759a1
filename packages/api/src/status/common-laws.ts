import type { Condition } from "../fields/condition.ts";
import { actionConditions } from "./action-conditions.ts";
import { type Kstatus, kstatusOf } from "./kstatus.ts";
import type { Law, StatusObject } from "./laws.ts";
import { type ConditionTable, vdbConditions } from "./vdb-conditions.ts";

export const conditionsOf = ({ status }: StatusObject): readonly Condition[] => status.conditions ?? [];
export const find = (object: StatusObject, type: string): Condition | undefined =>
  conditionsOf(object).find((condition) => condition.type === type);
export const isTrue = (object: StatusObject, type: string): boolean => find(object, type)?.status === "True";
export const unless = (holds: boolean, how: string): string | undefined => (holds ? undefined : how);

/** Laws of every kind: 1 to 19. */
export const commonLaws: readonly Law<StatusObject>[] = [
  {
    number: 1,
    says: "a condition type appears once",
    broken: (object) => {
      const types = conditionsOf(object).map(({ type }) => type);
      return unless(new Set(types).size === types.length, `has ${types.join(", ")}`);
    },
  },
  {
    number: 2,
    says: "condition types are those of the kind's table",
    broken: (object) => {
      const strange = conditionsOf(object).filter(({ type }) => !Object.hasOwn(tableOf(object), type));
      return unless(strange.length === 0, strange.map(({ type }) => type).join(", "));
    },
  },
  {
    number: 3,
    says: "a condition has a reason in one word and a message",
    broken: (object) => {
      const mute = conditionsOf(object).filter(
        ({ reason, message }) => !/^[A-Za-z][A-Za-z0-9]*$/u.test(reason) || message === "",
      );
      return unless(mute.length === 0, mute.map(({ type, reason }) => `${type} (${reason})`).join(", "));
    },
  },
  {
    number: 4,
    says: "an observed generation is not newer than the object's own",
    broken: ({ metadata, status }) =>
      unless(
        status.observedGeneration <= metadata.generation &&
          (status.conditions ?? []).every(({ observedGeneration = 0 }) => observedGeneration <= status.observedGeneration),
        `generation ${metadata.generation}, observed ${status.observedGeneration}`,
      ),
  },
  {
    number: 5,
    says: "a status that nobody has written has phase Pending and no conditions",
    broken: ({ status }) =>
      unless(
        status.observedGeneration !== -1 || (status.phase === "Pending" && (status.conditions ?? []).length === 0),
        status.phase,
      ),
  },
  {
    number: 6,
    says: "Reconciling and Stalled are never True together, and never False but absent",
    broken: (object) =>
      unless(
        !(isTrue(object, "Reconciling") && isTrue(object, "Stalled")) &&
          ["Reconciling", "Stalled"].every((type) => find(object, type)?.status !== "False"),
        "see Reconciling and Stalled",
      ),
  },
  {
    number: 7,
    says: "a Stalled object is not Ready, and lastError says why",
    broken: (object) =>
      unless(
        !isTrue(object, "Stalled") || (!isTrue(object, "Ready") && (object.status.lastError ?? "") !== ""),
        `lastError: ${JSON.stringify(object.status.lastError ?? "")}`,
      ),
  },
  {
    number: 8,
    says: "kstatus agrees with the phase",
    broken: (object) => {
      const seen = kstatusOf(object);
      const { observedGeneration, phase } = object.status;
      if (seen === "Terminating" || observedGeneration !== object.metadata.generation) return undefined;
      return unless(seen === (settled[phase] ?? "InProgress"), `phase ${phase}, kstatus ${seen}`);
    },
  },
  {
    number: 9,
    says: "lastTransitionTime moves only when the condition's status does, and never back",
    broken: (object, before, isNext) => {
      if (before === undefined) return undefined;
      const wrong = conditionsOf(object).filter((now) => {
        const was = find(before, now.type);
        if (was === undefined) return false;
        const [then, at] = [Date.parse(was.lastTransitionTime), Date.parse(now.lastTransitionTime)];
        return isNext && was.status === now.status ? at !== then : at < then; // two changes can lie within one second
      });
      return unless(wrong.length === 0, wrong.map(({ type }) => type).join(", "));
    },
  },
  {
    number: 10,
    says: "a status contains no password",
    broken: ({ spec, status }) => {
      const password = "database" in spec && typeof spec.database === "object" ? (spec.database.password ?? "") : "";
      return unless(password === "" || !JSON.stringify(status).includes(JSON.stringify(password).slice(1, -1)), "found it");
    },
  },
];

const tableOf = ({ kind }: StatusObject): ConditionTable => (kind === "PostgresVDB" ? vdbConditions : actionConditions);

/** The phases in which a waiting GitOps tool goes on or gives up; in all others it waits. */
const settled: Readonly<Record<string, Kstatus>> = {
  Ready: "Current",
  Stopped: "Current",
  Completed: "Current",
  Error: "Failed",
  Terminating: "Terminating",
};
