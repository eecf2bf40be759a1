import { isFinished } from "@vdb/api";
import { findCondition } from "kube-runtime";
import { again } from "../cluster/session.ts";
import type { ConnectionFlags } from "../world.ts";
import { firstLine } from "./first-line.ts";
import type { Seen } from "./status-page.ts";

/** One thing to do, and the command for it or the words of the condition that asks for it. */
export interface NextStep {
  readonly what: string;
  readonly how: string;
}

/** After this long an operator that runs has looked at a new object. */
const firstLookMs = 30_000;

/** Pure: what a person may do now, the most urgent first. */
export function nextSteps({ vdb, actions }: Seen, now: number, flags: ConnectionFlags): readonly NextStep[] {
  const { metadata, status, spec } = vdb;
  const { name } = metadata;
  const command = (verb: string, more = ""): string => `kubectl vdb ${verb} ${name}${more}${again(flags)}`;
  const failed = actions.findLast(isFinished);
  const afterFailure =
    failed?.status.phase === "Error"
      ? [
          {
            what: "last action failed",
            how: `${failed.kind} ${failed.metadata.name}: ${firstLine(failed.status.lastError ?? "see its conditions")}`,
          },
        ]
      : [];
  switch (status.phase) {
    case "Terminating":
      return [{ what: "wait until it is gone", how: command("wait", " --for=deleted") }];
    case "Error":
      return [{ what: "act", how: stalledText(status) }, ...afterFailure];
    case "Stopped":
      return [
        ...afterFailure,
        status.expiry?.stoppedTime === undefined
          ? { what: "start it", how: command("start") }
          : { what: "renew it", how: command("extend", " 8h") },
      ];
    case "Ready":
      return [
        ...afterFailure,
        { what: "query it", how: command("psql") },
        { what: "newer data", how: command("refresh") },
        ...(status.previous === undefined ? [] : [{ what: "the data before", how: command("undo") }]),
      ];
    case "Pending":
    case "Provisioning":
    case "Configuring":
    case "Deploying":
      return [
        ...(isUnseen(status.observedGeneration, metadata.creationTimestamp, now)
          ? [
              {
                what: "no operator",
                how: "nobody has looked at it yet: does the operator run, and does it watch this namespace?",
              },
            ]
          : []),
        ...afterFailure,
        { what: "wait", how: command("wait", spec.enabled ? "" : " --for=stopped") },
      ];
    default:
      return status.phase satisfies never;
  }
}

const isUnseen = (observedGeneration: number, created: string, now: number): boolean =>
  observedGeneration === -1 && now - Date.parse(created) > firstLookMs;

/** The operator's messages say what to do. */
function stalledText({ conditions = [], lastError }: Seen["vdb"]["status"]): string {
  const stalled = findCondition(conditions, "Stalled");
  return stalled === undefined ? (lastError ?? "see its conditions") : `${stalled.reason}: ${stalled.message}`;
}
