/** One HTTP request. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Called synchronously, right before the request is handed to the socket. A throw keeps it from leaving. */
  readonly beforeSend?: () => void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Read it to its end, or abort the request's signal. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The way to one server. It connects when needed and never repeats a request by itself. */
export interface HttpLink {
  /** Rejects with the signal's reason when aborted, with the socket's error when the connection failed. */
  readonly send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly close: () => Promise<void>;
}
