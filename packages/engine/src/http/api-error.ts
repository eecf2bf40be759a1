/** A refusal that the caller gets to read: an HTTP status and an ErrorResponse body. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** A short word for programs, such as `not_found`. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const badRequest = (message: string): HttpError => new HttpError(400, "bad_request", message);
export const notFound = (what: string, id: string): HttpError =>
  new HttpError(404, "not_found", `there is no ${what} ${shown(id)}`);
export const otherMethods = (method: string, path: string, allowed: readonly string[]): HttpError =>
  new HttpError(
    405,
    "method_not_allowed",
    `this engine does not serve ${method} ${path}; allowed methods: ${allowed.join(", ")}`,
    {
      allow: allowed.join(", "),
    },
  );
export const conflict = (message: string): HttpError => new HttpError(409, "conflict", message);

/** What a caller sent, as a message can show it: short, and without what would disturb a terminal. */
export const shown = (given: string): string =>
  given.slice(0, 100).replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, "?") + (given.length > 100 ? "…" : "");
