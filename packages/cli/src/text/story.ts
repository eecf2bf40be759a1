import type { ActionObject, PostgresVDB } from "@vdb/api";
import type { Event } from "kube-runtime";
import type { Output } from "../world.ts";
import { painted, type Tone } from "./style.ts";

/** Who tells a line of a database's story. */
export type Teller = "event" | "operator" | "driver" | "engine" | "postgres" | "hook" | "action";

export interface StoryLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly teller: Teller;
  readonly text: string;
  readonly tone?: Tone;
}

/** Pure: all lines in one order, those of one moment in the order in which they came. */
export function storyText(output: Output, lines: readonly StoryLine[]): string {
  return lines
    .toSorted((a, b) => a.at - b.at)
    .flatMap(({ at, teller, text, tone = "plain" }) =>
      text.split("\n").map((line) => `${momentText(at)}  ${teller.padEnd(8)}  ${painted(output, tone, line)}`.trimEnd()),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** To the millisecond, so that the order can be seen; the API has whole seconds. */
const momentText = (at: number): string => new Date(at).toISOString();

/** Events of the database and of what was made for it. */
export function eventLines(events: readonly Event[], names: ReadonlySet<string>): readonly StoryLine[] {
  return events
    .filter(({ regarding }) => names.has(`${regarding.kind ?? ""} ${regarding.name ?? ""}`))
    .map(({ type, reason, note = "", regarding, series, eventTime, deprecatedLastTimestamp, metadata }) => ({
      at: Date.parse(series?.lastObservedTime ?? eventTime ?? deprecatedLastTimestamp ?? metadata.creationTimestamp),
      teller: "event" as const,
      tone: type === "Warning" ? ("bad" as const) : ("plain" as const),
      text: `${regarding.kind ?? ""} ${regarding.name ?? ""}: ${reason}: ${note}${series === undefined ? "" : ` (${series.count} times)`}`,
    }));
}

/** `2026-01-31T12:00:00.123456789Z text`, as kubectl logs --timestamps prints it. */
export function postgresLines(log: string): readonly StoryLine[] {
  return log.split("\n").flatMap((line) => {
    const [, moment = "", text = ""] = /^(\d{4}-\S+Z) (.*)$/u.exec(line) ?? [];
    const at = Date.parse(moment);
    return Number.isNaN(at) ? [] : [{ at, teller: "postgres" as const, text, tone: toneOfLog(text) }];
  });
}

const toneOfLog = (text: string): Tone => (/\b(?:ERROR|FATAL|PANIC): /u.test(text) ? "bad" : "plain");

/** One program's log, in lines of JSON. */
export interface ProgramLog {
  readonly teller: Teller;
  readonly text: string;
}

/** What driver and engine know a database by. */
export interface Handles {
  readonly vdb: string;
  /** `namespace/name` of the claim of its status. */
  readonly claim: string | undefined;
  readonly delphixID: string | undefined;
}

/**
 * The lines that tell of a database: by its name, by its claims, and by the ids that these are seen with, which may be of data that it
 * no longer has.
 */
export function programLines(logs: readonly ProgramLog[], { vdb, claim, delphixID }: Handles): readonly StoryLine[] {
  const lines = logs.flatMap(({ teller, text }) => text.split("\n").map((line) => ({ teller, fields: fieldsOf(line) })));
  const isNamed = ({ fields: { vdb: told, claim: its } }: Told): boolean =>
    told === undefined ? typeof its === "string" && (its === claim || isClaimOf(vdb, its)) : told === vdb;
  const ids = new Set<unknown>([delphixID, ...lines.filter(isNamed).map(({ fields }) => fields["delphixID"])]);
  ids.delete(undefined);
  return lines
    .filter((line) => isNamed(line) || (line.fields["vdb"] === undefined && ids.has(line.fields["delphixID"])))
    .flatMap(programLine);
}

interface Told {
  readonly teller: Teller;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The operator names a claim by its database and six digits of the content. */
const isClaimOf = (vdb: string, claim: string): boolean =>
  claim.startsWith(`${vdb}-`) && /^[0-9a-f]{6}$/u.test(claim.slice(vdb.length + 1));

/** Without what each line of the story has: by these fields it was found. */
function programLine({ teller, fields }: Told): readonly StoryLine[] {
  const { time, level, msg, controller, object, reconcileID: _, vdb: _vdb, action: _action, claim: _claim, ...rest } = fields;
  if (typeof time !== "string") return [];
  const details = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const who = typeof controller === "string" && typeof object === "string" ? `${controller} ${object}: ` : "";
  const tone = level === "error" || level === "warn" ? "bad" : "plain";
  return [{ at: Date.parse(time), teller, text: [`${who}${String(msg)}`, ...details].join(" "), tone }];
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // the runtime of Node itself, for example
  }
}

type Run = NonNullable<PostgresVDB["status"]["hooks"]>[number] | NonNullable<ActionObject["status"]["runs"]>[number];

/** Runs of hooks and scripts: their begin, their end and what they printed. */
export function hookLines({ status: { hooks = [] } }: PostgresVDB, actions: readonly ActionObject[]): readonly StoryLine[] {
  return [
    ...hooks.flatMap((run) => runLines(`${run.stage}/${run.name}`, run)),
    ...actions.flatMap(({ kind, metadata, status }) =>
      (status.runs ?? []).flatMap((run) => runLines(`${kind} ${metadata.name} ${run.name}`, run)),
    ),
  ];
}

function runLines(name: string, { outcome, startTime, completionTime, exitCode, output = "" }: Run): readonly StoryLine[] {
  const code = exitCode === undefined ? "" : `, exit code ${exitCode}`;
  const printed = output === "" ? "" : `\n${output}`;
  return [
    ...(startTime === undefined ? [] : [{ at: Date.parse(startTime), teller: "hook" as const, text: `${name} begins` }]),
    ...(completionTime === undefined
      ? []
      : [
          {
            at: Date.parse(completionTime),
            teller: "hook" as const,
            text: `${name}: ${outcome}${code}${printed}`,
            tone: outcome === "Succeeded" ? ("plain" as const) : ("bad" as const),
          },
        ]),
  ];
}

/** The steps of actions, and how they ended. */
export function actionLines(actions: readonly ActionObject[]): readonly StoryLine[] {
  return actions.flatMap(({ kind, metadata, status }) => {
    const line = (moment: string, text: string, tone: Tone = "plain") => ({
      at: Date.parse(moment),
      teller: "action" as const,
      text: `${kind} ${metadata.name}: ${text}`,
      tone,
    });
    const { steps = [], completionTime, phase, lastError = "" } = status;
    return [
      line(metadata.creationTimestamp, "created"),
      ...steps.flatMap((step) =>
        step.startTime === undefined ? [] : [line(step.startTime, `${step.phase}, step ${step.name}`)],
      ),
      ...(completionTime === undefined
        ? []
        : [line(completionTime, lastError === "" ? phase : `${phase}: ${lastError}`, phase === "Error" ? "bad" : "good")]),
    ];
  });
}
