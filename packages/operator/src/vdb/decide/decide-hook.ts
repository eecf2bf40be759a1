import type { Hook, HookRun } from "@vdb/api";
import { shortHash } from "../names.ts";

/**
 * What comes next for one hook of a stage.
 * - run: begin it, or ask for its end: the token in the pod tells the two apart.
 * - next: it has done its part, or may fail.
 * - interrupted: its pod died; nobody knows whether it took effect.
 * - failed: it may not fail, and did.
 */
export type HookPlan =
  | { readonly kind: "run" }
  | { readonly kind: "next" }
  | { readonly kind: "interrupted"; readonly record: HookRun }
  | { readonly kind: "failed"; readonly record: HookRun };

export interface HookFacts {
  readonly hook: Hook;
  /** What is recorded of it, whatever data and text it was for. */
  readonly record: HookRun | undefined;
  readonly contentId: string;
  readonly podUid: string;
}

/** Pure. A record counts only for the same data and the same text: the operator runs a changed hook again. */
export function decideHook({ hook, record, contentId, podUid }: HookFacts): HookPlan {
  if (record === undefined || record.contentId !== contentId || record.scriptHash !== scriptHash(hook)) return { kind: "run" };
  switch (record.outcome) {
    case "Running":
      return record.pod === podUid ? { kind: "run" } : { kind: "interrupted", record };
    case "Succeeded":
      return { kind: "next" };
    case "Failed":
    case "TimedOut":
    case "Interrupted":
      return hook.continueOnError ? { kind: "next" } : { kind: "failed", record };
    default:
      return record.outcome satisfies never;
  }
}

/** Pure: those that may still run although the manifest has changed or removed them. Nothing else may begin beside them. */
export function forsaken(
  records: readonly HookRun[],
  hooks: readonly Hook[],
  { contentId, podUid }: Pick<HookFacts, "contentId" | "podUid">,
): readonly HookRun[] {
  const wanted = new Set(hooks.map((hook) => `${hook.stage} ${hook.name} ${scriptHash(hook)}`));
  return records.filter(
    ({ outcome, stage, name, scriptHash: hash = "", contentId: content, pod }) =>
      outcome === "Running" && content === contentId && pod === podUid && !wanted.has(`${stage} ${name} ${hash}`),
  );
}

/** Everything that makes another run of it. */
export function scriptHash({ type, script, database = "" }: Hook): string {
  return shortHash(JSON.stringify([type, script, database]));
}
