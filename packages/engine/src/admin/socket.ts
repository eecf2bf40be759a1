/** How an administrator talks to a running engine: HTTP on a socket in the engine's folder, which root alone can open. */

import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Log } from "kube-runtime";
import { wordsOf } from "../failure.ts";
import { Refusal } from "../refusal.ts";

export const adminSocket = (folder: string): string => join(folder, "admin.sock");

/** What is asked for, in a word, and about what. */
export type AdminWork = (subject: string) => unknown;

/** Answers `POST /<word>` with what the work of this word gives back: bytes as they are, everything else as JSON. */
export async function startAdmin(folder: string, works: Readonly<Record<string, AdminWork>>, log: Log): Promise<AsyncDisposable> {
  const path = adminSocket(folder);
  await rm(path, { force: true }); // of an engine that was killed: the catalogue's lock says that it is gone
  const server = createServer((asked, response) => void respond(works, log, asked, response));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  await chmod(path, 0o600);
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(
  works: Readonly<Record<string, AdminWork>>,
  log: Log,
  asked: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const word = asked.url?.slice(1) ?? "";
  try {
    const work = Object.hasOwn(works, word) ? works[word] : undefined;
    if (work === undefined) throw new Refusal("notFound", `this engine does not know how to ${word}`);
    const subject = (await buffer(asked)).toString();
    const given: unknown = await work(subject);
    log.info({ command: word, subject }, "an administrator's command");
    response.end(Buffer.isBuffer(given) ? given : JSON.stringify(given ?? {}));
  } catch (error) {
    if (!(error instanceof Refusal)) log.error({ command: word, err: error }, "an administrator's command failed");
    response.writeHead(error instanceof Refusal ? 400 : 500).end(wordsOf(error));
  }
}

/** No engine runs on the folder. */
export class NoEngine extends Error {
  override readonly name = "NoEngine";
}

/** Asks the engine that runs on this folder. Throws NoEngine, or an error with the engine's words. */
export async function askEngine(folder: string, word: string, subject = ""): Promise<Buffer> {
  const socketPath = adminSocket(folder);
  const { status, body } = await new Promise<{ readonly status: number; readonly body: Buffer }>((resolve, reject) => {
    const asked = request({ socketPath, path: `/${word}`, method: "POST" }, (answer) => {
      buffer(answer).then((given) => resolve({ status: answer.statusCode ?? 0, body: given }), reject);
    });
    asked.once("error", (error: NodeJS.ErrnoException) => {
      const nobody = error.code === "ENOENT" || error.code === "ECONNREFUSED";
      reject(nobody ? new NoEngine(`no engine runs on ${folder}: start it, or name its folder by --data-dir`) : error);
    });
    asked.end(subject);
  });
  if (status !== 200) throw new Error(body.toString());
  return body;
}
