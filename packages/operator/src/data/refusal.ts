import type { VdbReason } from "@vdb/api";
import type { Resolution, ResolvedSource } from "./source.ts";

/** Why a source cannot be used, as a Resolution has it. Thrown, so that each look-up can end the whole. */
export class SourceRefusal extends Error {
  override readonly name = "SourceRefusal";
  readonly reason: VdbReason<"SourceResolved">;
  /** It may end soon, without anybody's help. */
  readonly passes: boolean;

  constructor(reason: VdbReason<"SourceResolved">, message: string, { passes = false }: { readonly passes?: boolean } = {}) {
    super(message);
    this.reason = reason;
    this.passes = passes;
  }
}

/** A source that was found, or the refusal that was thrown instead. */
export async function answered(found: Promise<ResolvedSource>): Promise<Resolution> {
  try {
    return { ok: true, source: await found };
  } catch (error) {
    if (!(error instanceof SourceRefusal)) throw error;
    const { reason, message, passes } = error;
    return { ok: false, reason, message, passes };
  }
}

/** How many choices a refusal lists. */
const listed = 10;

export function choices(what: string, names: readonly string[]): string {
  if (names.length === 0) return `there are no ${what}`;
  const shown = names.toSorted().slice(0, listed).join(", ");
  return names.length > listed ? `the ${what} there: ${shown} and ${names.length - listed} more` : `the ${what} there: ${shown}`;
}
