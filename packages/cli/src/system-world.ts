import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { errorMessage, kubeconfigConnection, systemClock } from "kube-runtime";
import { Complaint, interrupted } from "./complaint.ts";
import type { ConnectionFlags, Output, World } from "./world.ts";

/** The process, the files and the cluster that there are. */
export const systemWorld = (signal: AbortSignal): World => ({
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  readText: async (file) => {
    try {
      return file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
    } catch (cause) {
      throw new Complaint(`cannot read ${file}: ${errorMessage(cause)}`);
    }
  },
  connect,
  kubectl: { run: (words) => runLocal("kubectl", words, {}), read: readKubectl, forward },
  runLocal,
  isInteractive: process.stdin.isTTY && process.stdout.isTTY,
  clock: systemClock,
  random: Math.random,
  signal,
});

/** As https://no-color.org has it; a terminal that is called dumb moves no cursor either. */
function outputOf(stream: NodeJS.WriteStream): Output {
  const isTerminal = stream.isTTY && process.env["TERM"] !== "dumb";
  return {
    write: (words) => void stream.write(words),
    isTerminal,
    hasColours: isTerminal && (process.env["NO_COLOR"] ?? "") === "",
    columns: stream.columns ?? 100,
  };
}

/** What the kubeconfig's reader makes up where it has found nothing at all. */
const nowhere = "http://localhost:8080/";

/** In kubectl's order: the flag, $KUBECONFIG, ~/.kube/config, the pod's service account. */
async function connect({ kubeconfig, context }: ConnectionFlags): ReturnType<World["connect"]> {
  try {
    const connection = await kubeconfigConnection(kubeconfig, context);
    if (connection.server.href === nowhere) throw new Error("there is neither a kubeconfig nor a pod's service account");
    return connection;
  } catch (cause) {
    throw new Complaint(`no way to the cluster: ${errorMessage(cause)}`, ["name a kubeconfig: --kubeconfig FILE"]);
  }
}

async function runLocal(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(program, [...words], { stdio: "inherit", env: { ...process.env, ...environment } });
  try {
    await once(child, "exit");
  } catch (cause) {
    throw new Complaint(`${program} cannot be run: ${errorMessage(cause)}`, ["it has to be in a folder of PATH"]);
  }
  return child.exitCode ?? interrupted;
}

/** Enough for the log of a day; what is more is cut by --since. */
const mostBytes = 256 * 1024 * 1024;

async function readKubectl(words: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)("kubectl", [...words], { maxBuffer: mostBytes })).stdout;
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    throw new Complaint(`kubectl ${words[0] ?? ""}: ${said === "" ? errorMessage(cause) : said}`);
  }
}

/** kubectl says where it listens in its first line. */
async function forward(words: readonly string[]): ReturnType<World["kubectl"]["forward"]> {
  const child = spawn("kubectl", ["port-forward", ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { text: "" };
  child.stderr.setEncoding("utf8").on("data", (more: string) => void (said.text += more));
  const port = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", () => reject(new Error(said.text.trim())));
    child.stdout.setEncoding("utf8").on("data", (line: string) => {
      const [, found] = /^Forwarding from 127\.0\.0\.1:(\d+) /u.exec(line) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
  }).catch((cause: unknown) => {
    throw new Complaint(`kubectl port-forward: ${errorMessage(cause)}`);
  });
  return { port, [Symbol.asyncDispose]: async () => void child.kill() };
}
