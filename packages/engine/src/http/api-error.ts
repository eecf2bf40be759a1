/** A refusal that the caller gets to read: an HTTP status and an ErrorResponse body. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** A short word for programs, such as `not_found`. */
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const badRequest = (message: string): HttpError => new HttpError(400, "bad_request", message);
export const notFound = (what: string, id: string): HttpError => new HttpError(404, "not_found", `there is no ${what} ${id}`);
export const conflict = (message: string): HttpError => new HttpError(409, "conflict", message);
