import {
  type ActionObject,
  type PostgresVDB,
  type ScheduleName,
  type ScheduleStatus,
  scheduleNames,
  vdbConditions,
} from "@vdb/api";
import { findCondition, isTrue } from "kube-runtime";
import { type SeenActions, waitingOf } from "../cluster/actions.ts";
import type { ConnectionFlags, Output } from "../world.ts";
import { ageOf, ageText } from "./age.ts";
import { nextSteps } from "./next-steps.ts";
import { parentOf } from "./parent.ts";
import { painted, type Tone, toneOfPhase } from "./style.ts";
import { type Cell, table } from "./table.ts";

export interface Seen extends SeenActions {
  readonly vdb: PostgresVDB;
}

/** Pure: the page of `status`. */
export function statusPage(output: Output, seen: Seen, now: number, flags: ConnectionFlags): string {
  const { vdb, hidden } = seen;
  const { namespace, name } = vdb.metadata;
  const { phase } = vdb.status;
  const sections: readonly (readonly [string, readonly (readonly Cell[])[]])[] = [
    ["", factsOf(vdb, now)],
    ["Conditions", conditionRows(vdb)],
    [
      "Turn",
      [...turnRows(seen, now), ...hidden.map((why) => [{ text: "" }, { text: `not shown: ${why}`, tone: "faint" as const }])],
    ],
    ["Hooks", hookRows(vdb)],
    ["What to do next", nextSteps(seen, now, flags).map(({ what, how }) => [{ text: what }, { text: how }])],
  ];
  const pages = sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => (title === "" ? "" : `\n${title}\n`) + indented(table(output, rows)));
  return `PostgresVDB ${namespace}/${name}: ${painted(output, toneOfPhase(phase), phase)}\n${pages.join("")}`;
}

const indented = (text: string): string => text.replaceAll(/^(?=.)/gmu, "  ");

const makers = { create: "its creation", refresh: "a refresh", rewind: "a rewind" } as const;

function factsOf(vdb: PostgresVDB, now: number): readonly (readonly Cell[])[] {
  const { status, spec } = vdb;
  const { content, previous } = status;
  const made = content === undefined ? "" : `, brought by ${makers[content.madeBy]}`;
  const data =
    status.dataTimestamp === undefined
      ? "none yet"
      : `${ageOf(status.dataTimestamp, now)} old, of ${status.dataTimestamp}${made}`;
  const until = previous?.until === undefined ? "until the next refresh or rewind" : `until ${previous.until}`;
  return [
    ["data", data],
    ["parent", parentOf(vdb)],
    ...(status.endpoint === undefined ? [] : [["endpoint", status.endpoint]]),
    ...(spec.mode === "Standby" ? [["mode", "Standby: read-only"]] : []),
    ...(spec.protected ? [["protected", "nobody can delete it"]] : []),
    ...scheduleNames.flatMap((name) => scheduleRow(name, status.schedules?.[name], now)),
    ...(status.expiry === undefined ? [] : [["expires", expiryText(status.expiry)]]),
    ...(previous === undefined ? [] : [["previous", `the data before the last refresh or rewind is kept ${until}`]]),
  ].map((row) => row.map((text) => ({ text })));
}

/** When it comes next, and what became of its last time. */
function scheduleRow(name: ScheduleName, schedule: ScheduleStatus | undefined, now: number): readonly (readonly string[])[] {
  if (schedule === undefined) return [];
  const { nextTime, lastTime, lastAction = "", skipped } = schedule;
  const next = nextTime === undefined ? "suspended" : `next ${nextTime}`;
  const last = lastTime === undefined ? "" : `, last ${ageOf(lastTime, now)} ago: ${lastAction}`;
  const isNewer = skipped !== undefined && (lastTime === undefined || Date.parse(skipped.time) > Date.parse(lastTime));
  return [
    [
      name === "refresh" ? "refreshes" : "snapshots",
      `${next}${last}${isNewer ? `; that of ${skipped.time} was skipped: ${skipped.message}` : ""}`,
    ],
  ];
}

const expiryText = ({ time, action, stoppedTime }: NonNullable<PostgresVDB["status"]["expiry"]>): string =>
  stoppedTime === undefined
    ? `${time}: then the operator ${action === "Stop" ? "stops" : "deletes"} it`
    : `it has, at ${time}, and is stopped`;

/** Ready sums up the others, and Reconciling and Stalled say of one of them what it says itself. */
const summaries: ReadonlySet<string> = new Set(["Ready", "Reconciling", "Stalled"]);
/** Ready does not depend on them. */
const warnings: ReadonlySet<string> = new Set([
  "HooksComplete",
  "HygieneApplied",
  "CertificateCurrent",
  "Scheduled",
  "StorageHealthy",
]);

/** The order in which a database comes up. */
const typesInOrder = Object.keys(vdbConditions);

function conditionRows({ status: { conditions = [] } }: PostgresVDB): readonly (readonly Cell[])[] {
  const stalled = findCondition(conditions, "Stalled");
  const known = typesInOrder.flatMap((type) => findCondition(conditions, type) ?? []);
  return known
    .filter(({ type }) => !summaries.has(type))
    .map(({ type, status, reason, message }) => {
      const isCause = isTrue(conditions, "Stalled") && stalled?.reason === reason;
      const [word, tone] = verdictOf(type, status, isCause);
      return [{ text: word, tone }, { text: type }, { text: status === "True" ? message : `${reason}: ${message}` }];
    });
}

function verdictOf(type: string, status: string, isCause: boolean): readonly [string, Tone] {
  if (type === "Expiring") return ["note", "busy"];
  if (status === "True") return ["ok", "good"];
  if (warnings.has(type)) return ["note", "busy"];
  return isCause ? ["failed", "bad"] : ["not yet", "busy"];
}

function turnRows({ vdb, actions }: Seen, now: number): readonly (readonly Cell[])[] {
  const { activeAction } = vdb.status;
  const active = actions.find(({ metadata }) => metadata.uid === activeAction?.uid);
  const waiting = waitingOf(actions, vdb);
  const holder =
    activeAction === undefined
      ? []
      : [
          [
            { text: "at work" },
            { text: `${activeAction.kind} ${placeOf(activeAction, vdb)}` },
            { text: progressOf(active, now) },
          ],
        ];
  return [
    ...holder,
    ...waiting.map((action, index) => [
      { text: `${index + 1}.` },
      { text: `${action.kind} ${placeOf(action.metadata, vdb)}` },
      { text: `waits ${ageOf(action.metadata.creationTimestamp, now)}: ${whyOf(action)}` },
    ]),
  ];
}

const placeOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }, vdb: PostgresVDB): string =>
  namespace === vdb.metadata.namespace ? name : `${namespace}/${name}`;

function progressOf(action: ActionObject | undefined, now: number): string {
  if (action === undefined) return "of another namespace, or not to be seen";
  const { phase, startTime } = action.status;
  return startTime === undefined ? phase : `${phase}, ${ageOf(startTime, now)} since it began`;
}

function whyOf({ status }: ActionObject): string {
  const why = findCondition(status.conditions ?? [], "Reconciling");
  return why === undefined ? "the operator has not looked at it yet" : `${why.reason}: ${why.message}`;
}

function hookRows({ status: { hooks = [] } }: PostgresVDB): readonly (readonly Cell[])[] {
  return hooks.map(({ stage, name, outcome, startTime, completionTime, exitCode }) => {
    const took =
      startTime === undefined || completionTime === undefined ? "" : ageText(Date.parse(completionTime) - Date.parse(startTime));
    const code = exitCode === undefined || exitCode === 0 ? "" : `exit code ${exitCode}`;
    const tone = outcome === "Succeeded" ? "good" : outcome === "Running" ? "busy" : "bad";
    return [
      { text: `${stage}/${name}` },
      { text: outcome, tone },
      { text: [took, code].filter((part) => part !== "").join(", ") },
    ];
  });
}
