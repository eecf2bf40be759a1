import type { ActionPhase } from "../actions/status-fields.ts";
import { refreshPhases, rewindPhases, snapshotPhases, taskPhases } from "../actions/status-fields.ts";
import { conditionsOf, find, isTrue, unless } from "./common-laws.ts";
import type { ActionObject, Law } from "./laws.ts";
import { actionPhase, isFinished } from "./phase.ts";

const phasesOf: Readonly<Record<ActionObject["kind"], readonly ActionPhase[]>> = {
  VDBSnapshot: snapshotPhases,
  PostgresSnapshot: snapshotPhases,
  VDBRefresh: refreshPhases,
  PostgresRefresh: refreshPhases,
  VDBRewind: rewindPhases,
  PostgresRewind: rewindPhases,
  PostgresTask: taskPhases,
  Task: taskPhases,
};

const stepsOf = ({ status }: ActionObject) => status.steps ?? [];

/** Laws of the eight actions: 40 to 59. */
export const actionLaws: readonly Law<ActionObject>[] = [
  {
    number: 40,
    says: "the phase is the end that the conditions tell, else that of the first step that is not done",
    broken: (object) => {
      const said = actionPhase(conditionsOf(object), object.status.steps, phasesOf[object.kind]);
      return unless(said === object.status.phase, `phase ${object.status.phase}, conditions and steps say ${said}`);
    },
  },
  {
    number: 41,
    says: "an action has a completion time if and only if it has ended",
    broken: (object) =>
      unless(
        isFinished(object) === (object.status.completionTime !== undefined),
        `${object.status.phase}, ${object.status.completionTime}`,
      ),
  },
  {
    number: 42,
    says: "Completed comes with Ready and Succeeded True; Error with Stalled True and Succeeded False",
    broken: (object) => {
      if (!isFinished(object)) return unless(find(object, "Succeeded") === undefined, "Succeeded before the end");
      const wanted =
        object.status.phase === "Completed" ? { Ready: "True", Succeeded: "True" } : { Stalled: "True", Succeeded: "False" };
      const wrong = Object.entries(wanted).filter(([type, status]) => find(object, type)?.status !== status);
      return unless(wrong.length === 0, wrong.map(([type, status]) => `${type} is not ${status}`).join(", "));
    },
  },
  {
    number: 43,
    says: "no end is before its start",
    broken: (object) => {
      const wrong = [{ name: "the action", ...object.status }, ...stepsOf(object)].filter(
        ({ startTime, completionTime }) =>
          completionTime !== undefined && startTime !== undefined && Date.parse(completionTime) < Date.parse(startTime),
      );
      return unless(wrong.length === 0, wrong.map(({ name }) => name).join(", "));
    },
  },
  {
    number: 44,
    says: "a step with an end or an effect has a start",
    broken: (object) => {
      const wrong = stepsOf(object).filter(
        ({ startTime, completionTime, undoneTime, effect }) =>
          startTime === undefined && [completionTime, undoneTime, effect].some((told) => told !== undefined),
      );
      return unless(wrong.length === 0, wrong.map(({ name }) => name).join(", "));
    },
  },
  {
    number: 45,
    says: "a Completed action has no running step",
    broken: (object) => {
      const running = stepsOf(object).filter(
        ({ startTime, completionTime }) => startTime !== undefined && completionTime === undefined,
      );
      return unless(object.status.phase !== "Completed" || running.length === 0, running.map(({ name }) => name).join(", "));
    },
  },
  {
    number: 46,
    says: "the status of a finished action never changes",
    broken: (object, before) =>
      unless(before === undefined || !isFinished(before) || same(before.status, object.status), "its status has changed"),
  },
  {
    number: 47,
    says: "an action never goes back to an earlier phase",
    broken: (object, before) => {
      const phases: readonly string[] = phasesOf[object.kind];
      const [was, is] = [phases.indexOf(before?.status.phase ?? "Pending"), phases.indexOf(object.status.phase)];
      return unless(is >= was, `${before?.status.phase} → ${object.status.phase}`);
    },
  },
  {
    number: 48,
    says: "an action that has succeeded has no lastError",
    broken: (object) =>
      unless(!isTrue(object, "Succeeded") || (object.status.lastError ?? "") === "", `${object.status.lastError}`),
  },
  {
    number: 49,
    says: "what is recorded of a step stays: its order, its intent, its effect, its ends",
    broken: (object, before) => {
      const now = stepsOf(object);
      const changed = (before === undefined ? [] : stepsOf(before)).filter((was, at) => {
        const is = now[at];
        return !same({ ...is, ...was, message: "" }, { ...is, message: "" });
      });
      return unless(changed.length === 0, changed.map(({ name }) => name).join(", "));
    },
  },
];

/** Compares as the API server would: the order of fields does not matter. */
function same(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
