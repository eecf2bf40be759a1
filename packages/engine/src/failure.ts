/** An expected failure: its words are for the person who asked. */
export class Failure extends Error {
  override readonly name = "Failure";
}
