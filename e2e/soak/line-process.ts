import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

/** A process that is spoken with by lines until it ends or is disposed of. */
export type LineProcess = AsyncDisposable & {
  readonly write: (line: string) => void;
  /** When it has ended and its last line was handed over: what it said on standard error. Never rejects. */
  readonly ended: Promise<string>;
};

export function startLineProcess(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void,
  env: Readonly<Record<string, string | undefined>> = {},
): LineProcess {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said = (said + chunk).slice(-2000);
  });
  child.on("error", (error) => {
    said += error.message;
  });
  child.stdin.on("error", () => undefined); // it ended before it read: its end is heard of by itself
  const lines = createInterface({ input: child.stdout }).on("line", onLine);
  const ended = Promise.all([once(child, "close"), once(lines, "close")]).then(
    () => said.trim(),
    (error: unknown) => String(error),
  );
  return {
    write: (line) => void child.stdin.write(`${line}\n`),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
