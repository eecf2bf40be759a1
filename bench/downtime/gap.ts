/** An answer to a client: when it came, in seconds, and which server gave it. */
export type Answer = { readonly at: number; readonly server: string };

/**
 * Seconds from the last answer of the first server to the first answer of the next one. Undefined while no other server has
 * answered. Answers may come in any order; the server of the earliest one is the old one.
 */
export function gap(answers: readonly Answer[]): number | undefined {
  const ordered = answers.toSorted((a, b) => a.at - b.at);
  const old = ordered[0]?.server;
  const next = ordered.find(({ server }) => server !== old);
  const last = ordered.findLast(({ server, at }) => server === old && next !== undefined && at <= next.at);
  return next === undefined || last === undefined ? undefined : next.at - last.at;
}

/** A line that the asking loop prints: `seconds server`. Undefined for anything else, a failed question among them. */
export function parseAnswer(line: string): Answer | undefined {
  const [, at = "", server = ""] = /^(\d+\.\d+) (\d+\.\d+)$/u.exec(line) ?? [];
  return server === "" ? undefined : { at: Number(at), server };
}
