/** A refusal that the caller gets to read: an HTTP status and an ErrorResponse body. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** A short word for programs, such as `not_found`. */
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const badRequest = (message: string): ApiError => new ApiError(400, "bad_request", message);
export const notFound = (what: string, id: string): ApiError => new ApiError(404, "not_found", `there is no ${what} ${id}`);
export const conflict = (message: string): ApiError => new ApiError(409, "conflict", message);
