/** A request that what is under way does not allow; the API answers 409 with these words. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}
