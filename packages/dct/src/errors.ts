/**
 * Everything that can go wrong with one call to DCT. A caller decides by `kind`.
 * - unreachable: no answer came. The call may or may not have run, so look before you repeat it, unless it is `unsent`.
 * - unauthorized, notFound, conflict: what they say.
 * - refused: DCT understood the request and does not want it (400, 422 and their kin): only another request can help.
 * - throttled: too many calls; `retryAfterSeconds` says when to come back.
 * - server: DCT failed (5xx).
 * - badAnswer: a success, but not what the contract says.
 */
export type DctErrorKind =
  | "unreachable"
  | "unauthorized"
  | "notFound"
  | "conflict"
  | "refused"
  | "throttled"
  | "server"
  | "badAnswer";

export class DctError extends Error {
  override readonly name = "DctError";
  readonly kind: DctErrorKind;
  /** The HTTP status, where an answer came. */
  readonly status: number | undefined;
  /** For `throttled`: when to come back. */
  readonly retryAfterSeconds: number | undefined;
  /** Whether there was not even a connection: the call has not run. */
  readonly unsent: boolean;

  constructor(
    kind: DctErrorKind,
    message: string,
    more: { status?: number; retryAfterSeconds?: number; unsent?: boolean; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.kind = kind;
    this.status = more.status;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.unsent = more.unsent ?? false;
  }

  /** True when the same call cannot succeed later without somebody changing something. */
  isFinal(): boolean {
    switch (this.kind) {
      case "unauthorized":
      case "notFound":
      case "conflict":
      case "refused":
        return true;
      case "unreachable":
      case "throttled":
      case "server":
      case "badAnswer":
        return false;
      default:
        return this.kind satisfies never;
    }
  }
}

/** A refusal as DCT words it: HTTP status, `retry-after` header and body become one error. `what` names the call. */
export function errorOfAnswer(what: string, status: number, retryAfter: string | undefined, body: string): DctError {
  const message = `${what}: ${wordsOf(body) ?? `HTTP ${status}`}`;
  if (status === 429) return new DctError("throttled", message, { status, retryAfterSeconds: secondsOf(retryAfter) });
  return new DctError(kindOfStatus(status), message, { status });
}

function kindOfStatus(status: number): DctErrorKind {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 404) return "notFound";
  if (status === 409) return "conflict";
  if (status === 408) return "server"; // a proxy gave up waiting: a later try may succeed
  if (status >= 400 && status < 500) return "refused";
  if (status >= 500) return "server";
  return "badAnswer"; // a redirect or an informational answer: not part of the contract
}

/** `retry-after` holds seconds or a date; whatever is unreadable means one second. */
function secondsOf(retryAfter: string | undefined): number {
  if (retryAfter === undefined) return 1;
  const seconds = Number(retryAfter);
  if (Number.isFinite(seconds) && seconds >= 0) return Math.min(Math.max(seconds, 1), 3600);
  const until = (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(until) ? Math.min(Math.max(until, 1), 3600) : 1;
}

/** The words of an ErrorResponse or Error body; undefined for anything else, such as a proxy's HTML page. */
function wordsOf(body: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== "object" || answer === null) return undefined;
    const fields = new Map(Object.entries(answer));
    const words = ["error_description", "message", "error"]
      .map((name) => fields.get(name))
      .find((word) => typeof word === "string");
    return typeof words === "string" ? words.slice(0, 1024) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
