import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request as ask } from "node:https";
import { buffer } from "node:stream/consumers";
import type { Engine } from "./engine.ts";

/** Between the driver and the engine: it passes every request on, and keeps back the answer that a test names. */
export interface HeldDct extends AsyncDisposable {
  /** What a Secret delphix-creds holds to come this way. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Requests since the last call of `holdAt` or `passAll`. */
  readonly count: () => number;
  /** DCT does what the nth request from now on asks, and nobody gets its answer; resolves when DCT has answered. */
  readonly holdAt: (nth: number) => Promise<void>;
  readonly passAll: () => void;
}

export async function startHeldDct(engine: Engine): Promise<HeldDct> {
  const { DCT_URL: target, DCT_KEY: key, "ca.crt": ca } = engine.credentials;
  const state = { count: 0, hold: 0, reached: () => {} };
  const passAll = (): void => void Object.assign(state, { count: 0, hold: 0, reached: () => {} });
  const server = createServer((request, response) => {
    state.count += 1;
    const held = state.count === state.hold ? state.reached : undefined;
    forward(request, response, { target, ca }, held).catch(() => response.destroy()); // the engine is gone: so is the answer
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    credentials: { DCT_URL: `http://127.0.0.1:${port}`, DCT_KEY: key },
    count: () => state.count,
    holdAt: async (nth) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      Object.assign(state, { count: 0, hold: nth, reached: resolve });
      await promise;
    },
    passAll,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { target, ca }: { readonly target: string; readonly ca: string },
  held: (() => void) | undefined,
): Promise<void> {
  const { method, headers, url } = request;
  const { host: _, ...passed } = headers;
  const forwarded = ask(new URL(url ?? "/", target), { method, headers: passed, ca });
  forwarded.end(await buffer(request));
  const [answer]: IncomingMessage[] = await once(forwarded, "response");
  if (answer === undefined) throw new Error("the engine does not answer");
  const body = await buffer(answer);
  if (held === undefined) response.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
  else held(); // until the driver is killed and its connection goes
}
