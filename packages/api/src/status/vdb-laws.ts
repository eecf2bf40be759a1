import type { PostgresVDB } from "../vdb/postgres-vdb.ts";
import { conditionsOf, find, isTrue, unless } from "./common-laws.ts";
import type { Law } from "./laws.ts";
import { vdbPhase } from "./phase.ts";

/** Laws of PostgresVDB: 20 to 39. */
export const vdbLaws: readonly Law<PostgresVDB>[] = [
  {
    number: 20,
    says: "the phase follows from the conditions",
    broken: (object) => {
      const said = vdbPhase(conditionsOf(object), object.metadata.deletionTimestamp !== undefined);
      // Between the deletion and the next look the status is older than the metadata.
      return unless(said === object.status.phase || said === "Terminating", `phase ${object.status.phase}, conditions ${said}`);
    },
  },
  {
    number: 21,
    says: "status.ready equals the Ready condition",
    broken: (object) =>
      unless((object.status.ready ?? false) === isTrue(object, "Ready"), `ready ${String(object.status.ready)}`),
  },
  {
    number: 22,
    says: "a Ready VDB has a claim, an endpoint and a content id",
    broken: (object) => {
      const { pvcName = "", endpoint = "", content } = object.status;
      return unless(
        !isTrue(object, "Ready") || ![pvcName, endpoint, content?.openedTime ?? ""].includes(""),
        `has ${pvcName}, ${endpoint}, content opened ${content?.openedTime ?? "never"}`,
      );
    },
  },
  {
    number: 23,
    says: "a Stopped VDB has none of the conditions Ready, Reconciling and Stalled",
    broken: (object) => {
      const said = ["Ready", "Reconciling", "Stalled"].filter((type) => find(object, type) !== undefined);
      return unless(object.status.phase !== "Stopped" || said.length === 0, said.join(", "));
    },
  },
  {
    number: 24,
    says: "Ready is True only if the condition of every step is True",
    broken: (object) => {
      const steps = ["Accepted", "SourceResolved", "Provisioned", "Configured", "Deployed", "Prepared", "HooksSucceeded"];
      const open = steps.filter((type) => ["False", "Unknown"].includes(find(object, type)?.status ?? ""));
      return unless(!isTrue(object, "Ready") || open.length === 0, `${open.join(", ")} not True`);
    },
  },
];
