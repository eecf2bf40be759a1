import { DctError, DctNotConfigured } from "@vdb/dct";
import { retry, terminal, type Unmet } from "kube-runtime";
import type { Told } from "../source.ts";

/** How a call to DCT that was thrown looks in a condition. `person`: somebody has to act; otherwise time may be enough. */
export interface DctFailure {
  readonly reason: "DctNotConfigured" | "DctUnreachable" | "DctUnauthorized" | "DctFailed";
  readonly message: string;
  readonly person: boolean;
}

/** Undefined for what is no failure of DCT: a bug, or a stop. */
export function dctFailure(error: unknown): DctFailure | undefined {
  if (error instanceof DctNotConfigured) return { reason: "DctNotConfigured", message: error.message, person: true };
  if (!(error instanceof DctError)) return undefined;
  switch (error.kind) {
    case "unreachable":
      return { reason: "DctUnreachable", message: `DCT does not answer: ${error.message}`, person: false };
    case "unauthorized":
      return { reason: "DctUnauthorized", message: `DCT refuses the API key in its Secret: ${error.message}`, person: true };
    case "notFound":
    case "conflict":
    case "refused":
      return { reason: "DctFailed", message: `DCT refuses the request: ${error.message}`, person: true };
    case "throttled":
    case "server":
    case "badAnswer":
      return { reason: "DctFailed", message: `DCT answers with an error: ${error.message}`, person: false };
    default:
      return error.kind satisfies never;
  }
}

/** The outcome of a step in which a call to DCT fails; undefined for an error that is not DCT's. */
export function explainDct(error: unknown): Unmet | undefined {
  const failure = dctFailure(error);
  if (failure === undefined) return undefined;
  const { reason, message, person } = failure;
  return person ? terminal(reason, message, { backOff: true }) : retry(reason, message);
}

/** For what goes on without DCT: its answer, or why there is none. What is no failure of DCT is thrown on. */
export async function told<T>(answer: Promise<T>): Promise<Told<T>> {
  try {
    return { kind: "told", value: await answer };
  } catch (error) {
    const failure = dctFailure(error);
    if (failure === undefined) throw error;
    return { kind: "untold", message: failure.message };
  }
}
