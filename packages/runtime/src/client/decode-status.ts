import { asRecord, textOf } from "../support/json.ts";
import { ApiError, type ApiFailure, type FieldCause } from "./api-error.ts";

/** The error that an answer other than 2xx, or an error frame of a watch, is. `what` names the call for people. */
export function errorOfStatus(httpStatus: number, retryAfter: string | undefined, body: unknown, what: string): ApiError {
  const status = asStatus(body);
  const code = status.code ?? httpStatus;
  const seconds = status.retryAfterSeconds ?? secondsOf(retryAfter);
  const message = `${what}: ${status.message ?? `the API server answered ${code}`}`;
  return new ApiError(failureOf(code, status, seconds), message, { status: code });
}

function failureOf(code: number, status: Status, retryAfterSeconds: number | undefined): ApiFailure {
  switch (status.reason) {
    case "AlreadyExists":
      return { kind: "alreadyExists" };
    case "Expired":
    case "Gone":
      return { kind: "gone" };
    case "Timeout":
    case "ServerTimeout":
      return { kind: "timeout" };
    case undefined:
    default:
      return failureOfCode(code, status, retryAfterSeconds);
  }
}

function failureOfCode(code: number, status: Status, retryAfterSeconds: number | undefined): ApiFailure {
  switch (code) {
    case 401:
      return { kind: "unauthorized" };
    case 403:
      return { kind: "forbidden" };
    case 404:
      return { kind: "notFound" };
    case 405:
      return { kind: "notAllowed" };
    case 409:
      return { kind: "conflict" };
    case 410:
      return { kind: "gone" };
    case 422:
      return { kind: "invalid", causes: status.causes };
    case 429:
      return { kind: "tooManyRequests", retryAfterSeconds: retryAfterSeconds ?? 1 };
    case 504:
      return { kind: "timeout" };
    default:
      if (code < 500) return { kind: "badRequest" };
      return retryAfterSeconds === undefined ? { kind: "unavailable" } : { kind: "unavailable", retryAfterSeconds };
  }
}

interface Status {
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly causes: readonly FieldCause[];
}

/** The parts of a `Status` object that decide something. Anything else (a proxy's page) gives an empty one. */
function asStatus(body: unknown): Status {
  const fields = asRecord(body);
  const details = asRecord(fields["details"]);
  return {
    code: numberOf(fields["code"]),
    reason: textOf(fields["reason"]),
    message: textOf(fields["message"]),
    retryAfterSeconds: numberOf(details["retryAfterSeconds"]),
    causes: Array.isArray(details["causes"]) ? details["causes"].map(causeOf) : [],
  };
}

function causeOf(value: unknown): FieldCause {
  const cause = asRecord(value);
  return { field: textOf(cause["field"]) ?? "", reason: textOf(cause["reason"]) ?? "", message: textOf(cause["message"]) ?? "" };
}

const numberOf = (value: unknown): number | undefined => (typeof value === "number" && value > 0 ? value : undefined);
const secondsOf = (header: string | undefined): number | undefined => numberOf(Number(header ?? ""));
