import { once } from "node:events";
import { createServer } from "node:http";
import { errorMessage } from "../support/error-message.ts";

/** What the manager answers over HTTP. */
export interface HttpAnswers {
  readonly metrics: () => string;
  /** Why not healthy; empty: healthy. A process that is not should be ended. */
  readonly unhealthy: () => readonly string[];
  /** Why not ready; empty: ready. */
  readonly notReady: () => readonly string[];
}

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves `/metrics`, `/healthz` and `/readyz`. */
export async function serveHttp(host: string | undefined, port: number, answers: HttpAnswers): Promise<RunningServer> {
  const server = createServer((request, response) => {
    const { status, type, body } = answerOrError(request.url?.split("?")[0] ?? "", answers);
    response.writeHead(status, { "content-type": type }).end(body);
  });
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const text = "text/plain; charset=utf-8";

/** What is asked may be other people's code, such as a gauge's reader: its throw must not end the process. */
function answerOrError(path: string, answers: HttpAnswers): Answer {
  try {
    return answerTo(path, answers);
  } catch (error) {
    return { status: 500, type: text, body: `${path} could not be answered: ${errorMessage(error)}\n` };
  }
}

function answerTo(path: string, { metrics, unhealthy, notReady }: HttpAnswers): Answer {
  switch (path) {
    case "/metrics":
      return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: metrics() };
    case "/healthz":
      return check(unhealthy());
    case "/readyz":
      return check(notReady());
    default:
      return { status: 404, type: text, body: "not found: /metrics, /healthz and /readyz are served here\n" };
  }
}

const check = (problems: readonly string[]): Answer =>
  problems.length === 0
    ? { status: 200, type: text, body: "ok\n" }
    : { status: 503, type: text, body: `${problems.join("\n")}\n` };
