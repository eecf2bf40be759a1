import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { ApiFailure } from "./api-error.ts";
import { errorOfStatus } from "./decode-status.ts";

const rows: readonly { name: string; http: number; retryAfter?: string; body?: unknown; want: ApiFailure }[] = [
  { name: "not found", http: 404, body: { kind: "Status", reason: "NotFound", code: 404 }, want: { kind: "notFound" } },
  { name: "a proxy's HTML page", http: 502, body: undefined, want: { kind: "unavailable" } },
  { name: "409 because it exists", http: 409, body: { reason: "AlreadyExists", code: 409 }, want: { kind: "alreadyExists" } },
  { name: "409 because of its version", http: 409, body: { reason: "Conflict", code: 409 }, want: { kind: "conflict" } },
  { name: "410 in an answer", http: 410, body: { reason: "Gone", code: 410 }, want: { kind: "gone" } },
  { name: "410 in a frame, where HTTP says 200", http: 500, body: { reason: "Expired", code: 410 }, want: { kind: "gone" } },
  {
    name: "refused fields",
    http: 422,
    body: {
      code: 422,
      reason: "Invalid",
      details: { causes: [{ field: "spec.port", reason: "FieldValueInvalid", message: "must be less" }] },
    },
    want: { kind: "invalid", causes: [{ field: "spec.port", reason: "FieldValueInvalid", message: "must be less" }] },
  },
  { name: "throttled, by the header", http: 429, retryAfter: "7", want: { kind: "tooManyRequests", retryAfterSeconds: 7 } },
  {
    name: "throttled, by the details",
    http: 429,
    body: { code: 429, details: { retryAfterSeconds: 3 } },
    want: { kind: "tooManyRequests", retryAfterSeconds: 3 },
  },
  { name: "throttled, unreadable", http: 429, retryAfter: "soon", want: { kind: "tooManyRequests", retryAfterSeconds: 1 } },
  { name: "the server's own timeout", http: 500, body: { reason: "ServerTimeout", code: 500 }, want: { kind: "timeout" } },
  { name: "a version from the future", http: 504, body: { reason: "Timeout", code: 504 }, want: { kind: "timeout" } },
  { name: "forbidden", http: 403, body: { reason: "Forbidden", code: 403 }, want: { kind: "forbidden" } },
  { name: "unauthorized", http: 401, want: { kind: "unauthorized" } },
  { name: "too large", http: 413, want: { kind: "badRequest" } },
  { name: "starting up, with a delay", http: 503, retryAfter: "2", want: { kind: "unavailable", retryAfterSeconds: 2 } },
];
for (const { name, http, retryAfter, body, want } of rows) {
  test(`an answer other than 2xx: ${name}`, () => deepEqual(errorOfStatus(http, retryAfter, body, "get pods n/p").failure, want));
}
