/** One field that the API server refused. */
export interface FieldCause {
  /** `spec.port`; empty when the API server named none. */
  readonly field: string;
  /** `FieldValueInvalid`, `FieldValueRequired` … */
  readonly reason: string;
  readonly message: string;
}

/**
 * Everything that can go wrong with one call to the API server. A caller decides by `kind`.
 *
 * `unavailable`, `timeout` and `tooManyRequests` say nothing about whether a write took place, except that
 * `tooManyRequests` was refused before anything happened: look before you repeat.
 */
export type ApiFailure =
  | {
      readonly kind:
        | "notFound"
        | "conflict"
        | "alreadyExists"
        | "forbidden"
        | "unauthorized"
        | "gone"
        | "badRequest"
        | "notAllowed";
    }
  | { readonly kind: "invalid"; readonly causes: readonly FieldCause[] }
  | { readonly kind: "tooManyRequests"; readonly retryAfterSeconds: number }
  | { readonly kind: "unavailable"; readonly retryAfterSeconds?: number } // no answer, or a 5xx
  | { readonly kind: "timeout" } // the API server or our own deadline gave up
  | { readonly kind: "badAnswer" } // 2xx, but not what the API promises
  | { readonly kind: "fenced" }; // never sent: this process may no longer write (leadership lost)

export type ApiErrorKind = ApiFailure["kind"];

/** Thrown by every call of a client. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly failure: ApiFailure;
  /** The HTTP status, when there was an answer. */
  readonly status: number | undefined;

  constructor(failure: ApiFailure, message: string, options: { readonly status?: number; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.failure = failure;
    this.status = options.status;
  }

  get kind(): ApiErrorKind {
    return this.failure.kind;
  }

  /** The refused fields; empty unless `kind` is `invalid`. */
  get causes(): readonly FieldCause[] {
    return this.failure.kind === "invalid" ? this.failure.causes : [];
  }

  /** How long the API server asked us to wait. */
  get retryAfterSeconds(): number | undefined {
    return "retryAfterSeconds" in this.failure ? this.failure.retryAfterSeconds : undefined;
  }
}

/** Whether `error` is an ApiError of one of these kinds. */
export function isApiError(error: unknown, ...kinds: readonly ApiErrorKind[]): error is ApiError {
  return error instanceof ApiError && (kinds.length === 0 || kinds.includes(error.kind));
}
