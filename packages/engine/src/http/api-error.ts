/** A refusal of the HTTP layer itself: a status and an ErrorResponse body. What a request asks for is refused by ../refusal.ts. */
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

export const otherMethods = (method: string, path: string, allowed: readonly string[]): HttpError =>
  new HttpError(
    405,
    "method_not_allowed",
    `this engine does not serve ${method} ${path}; allowed methods: ${allowed.join(", ")}`,
    {
      allow: allowed.join(", "),
    },
  );
