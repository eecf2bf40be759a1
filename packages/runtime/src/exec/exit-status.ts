import { ApiError } from "../client/api-error.ts";
import { asRecord, textOf } from "../support/json.ts";

/** The exit code that the last message tells. Throws ApiError when the command did not run. */
export function exitOf(message: string, what: string): number {
  const status = asRecord(parse(message));
  if (status["status"] === "Success") return 0;
  if (status["reason"] === "NonZeroExitCode") {
    const causes = asRecord(status["details"])["causes"];
    const cause = (Array.isArray(causes) ? causes : []).map(asRecord).find(({ reason }) => reason === "ExitCode");
    const code = Number(textOf(cause?.["message"]));
    if (Number.isInteger(code)) return code;
  }
  throw new ApiError(
    { kind: "unavailable" },
    `${what}: ${textOf(status["message"]) ?? `ended without a status: ${message.slice(0, 200)}`}`,
  );
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message) as unknown;
  } catch {
    return { message };
  }
}
