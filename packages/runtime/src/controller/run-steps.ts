import { ApiError } from "../client/api-error.ts";
import { DeadlineError } from "../support/deadline.ts";
import { errorMessage } from "../support/error-message.ts";
import type { ControlledKind, Step } from "./kind.ts";
import type { Outcome, Unmet } from "./outcome.ts";

/** A step that threw: shown like an outcome, retried with the queue's back-off. */
export interface Failure {
  readonly kind: "failed";
  readonly reason: string;
  readonly message: string;
  readonly error: unknown;
}

export interface StepResult {
  readonly step: Pick<Step<never>, "name" | "condition">;
  readonly outcome: Outcome | Failure;
}

/**
 * Runs the steps in order up to the first that is not done, each with what those before it have found, and notes what each came to.
 * Throws what is no news about the object: an abort, a conflict.
 */
export async function runSteps<Ctx>(
  { steps, results }: { readonly steps: readonly Step<Ctx>[]; readonly results: StepResult[] },
  ctx: Ctx,
  explain: ControlledKind<never, Ctx>["explain"],
  signal: AbortSignal,
): Promise<void> {
  let known = ctx;
  for (const step of steps) {
    const present = known;
    const outcome = await caught(() => step.run(present, signal), explain, signal);
    results.push({ step, outcome });
    if (outcome.kind !== "done") break;
    if (outcome.found !== undefined) known = { ...known, ...outcome.found };
  }
}

/** The only place where a throw becomes an outcome, or words. */
export async function caught<T>(
  work: () => Promise<T>,
  explain: ControlledKind<never, never>["explain"],
  signal: AbortSignal,
): Promise<T | Unmet | Failure> {
  try {
    return await work();
  } catch (error) {
    if (isNoNews(error, signal)) throw error;
    return explain?.(error) ?? { kind: "failed", error, ...wordsOf(error) };
  }
}

/** Stopping, or somebody was faster: the object's status stays as it was, and the run is made again. */
function isNoNews(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return !(signal.reason instanceof DeadlineError);
  return error instanceof ApiError && (error.kind === "conflict" || error.kind === "fenced");
}

function wordsOf(error: unknown): { readonly reason: string; readonly message: string } {
  if (error instanceof DeadlineError) return { reason: "TimedOut", message: error.message };
  if (error instanceof ApiError) return { reason: reasons[error.kind], message: error.message };
  return { reason: "Failed", message: errorMessage(error) };
}

const reasons: Readonly<Record<ApiError["kind"], string>> = {
  notFound: "NotFound",
  conflict: "Conflict",
  alreadyExists: "AlreadyExists",
  forbidden: "Forbidden",
  unauthorized: "Unauthorized",
  gone: "Gone",
  badRequest: "BadRequest",
  notAllowed: "NotAllowed",
  invalid: "Invalid",
  tooManyRequests: "ApiServerBusy",
  unavailable: "ApiServerUnavailable",
  timeout: "ApiServerTimeout",
  badAnswer: "BadAnswer",
  fenced: "NotLeading",
};
