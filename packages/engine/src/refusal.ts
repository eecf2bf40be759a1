export type RefusalKind = "badRequest" | "notFound" | "conflict";

/** A request that cannot be accepted. Its words are for the person who asked; the API turns its kind into a status. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly kind: RefusalKind;
  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export const badRequest = (message: string): Refusal => new Refusal("badRequest", message);
export const notFound = (what: string, id: string): Refusal => new Refusal("notFound", `there is no ${what} ${shown(id)}`);
/** What is under way, or depends on it, does not allow it. */
export const conflict = (message: string): Refusal => new Refusal("conflict", message);

/** What a caller sent, as a message can show it: short, and without what would disturb a terminal. */
export const shown = (given: string): string =>
  given.slice(0, 100).replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, "?") + (given.length > 100 ? "…" : "");
