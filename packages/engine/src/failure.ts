/** An expected failure: its words are for the person who asked. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** What was thrown, in its own words. */
export const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
