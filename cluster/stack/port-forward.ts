import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Kubectl } from "./kubectl.ts";

export type PortForward = AsyncDisposable & { readonly port: number };

/** `kubectl port-forward` to a pod or Service on a free port of the loopback, until it is disposed. `target` is as on the command line: svc/name. */
export async function portForward(kubectl: Kubectl, namespace: string, target: string, port: number): Promise<PortForward> {
  const args = ["port-forward", "-n", namespace, target, `:${port}`, "--address", "127.0.0.1"];
  const child = spawn("kubectl", [...kubectl.bound.args, ...args], {
    env: { ...process.env, ...kubectl.bound.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  const dispose = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const [, local] = /127\.0\.0\.1:(\d+) ->/u.exec(line) ?? [];
    // Its later lines ("Handling connection …") go nowhere; unread they would fill the pipe and stop it.
    if (local !== undefined) {
      child.stdout.resume();
      return { port: Number(local), [Symbol.asyncDispose]: dispose };
    }
  }
  throw new Error(`kubectl port-forward -n ${namespace} ${target} ended before it listened: ${said.trim()}`);
}
