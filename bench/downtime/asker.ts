import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Kubectl } from "@vdb/cluster";
import { type Answer, parseAnswer } from "./gap.ts";

/** Where it asks: a Service's host and port, as user postgres of database postgres. */
export type Target = { readonly host: string; readonly port: number; readonly password: string };
export type Asker = AsyncDisposable & { readonly answers: readonly Answer[] };

/**
 * Every 50 ms a new client, whether or not the earlier ones have an answer: a slow failure delays no question. The server is known
 * by its start. The loop ends with its standard input, so with kubectl. The password is the input's first line: arguments can be
 * read in the process list.
 */
const loop = `
IFS= read -r PGPASSWORD; export PGPASSWORD
ask() { local server; server=$(timeout 5 psql "$1" -qXAtc "SELECT extract(epoch FROM pg_postmaster_start_time())" 2>/dev/null) && echo "$EPOCHREALTIME $server"; }
while read -r -t 0.05 _; [ $? -gt 128 ]; do ask "$1" & done
`;

/** Asks from the production database's pod, through the Service and the cluster's DNS, until it is disposed. */
export function ask(kubectl: Kubectl, { host, port, password }: Target): Asker {
  const connection = `host=${host} port=${port} user=postgres dbname=postgres connect_timeout=2`;
  const exec = ["exec", "-i", "-n", "production", "production-0", "--", "bash", "-c", loop, "ask", connection];
  const child = spawn("kubectl", [...kubectl.bound.args, ...exec], {
    env: { ...process.env, ...kubectl.bound.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers: Answer[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = parseAnswer(line);
    if (answer !== undefined) answers.push(answer);
  });
  child.stdin.write(`${password}\n`);
  const dispose = async (): Promise<void> => {
    child.stdin.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  return { answers, [Symbol.asyncDispose]: dispose };
}
