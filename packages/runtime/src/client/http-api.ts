import type { Connection } from "../connection/connection.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Clock } from "../support/clock.ts";
import type { Api } from "./api.ts";

export interface HttpApiOptions {
  readonly userAgent?: string;
  /** Requests a second, watches not counted; 50, and up to 100 at once. */
  readonly requestsPerSecond?: number;
  readonly burst?: number;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
}

/** The real API server. Opens connections as needed; `close` ends them. */
export interface HttpApi extends Api, AsyncDisposable {
  readonly close: () => Promise<void>;
}

export function httpApi(_connection: Connection, _options: HttpApiOptions = {}): HttpApi {
  throw new Error("not yet");
}
