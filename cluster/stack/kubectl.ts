import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { clone } from "./clone.ts";
import { type CommandOptions, type CommandResult, run, tryRun } from "./command.ts";
import { items, type Json, parseJson } from "./json.ts";

/** kubectl and helm bound to one cluster. Every call names that cluster's kubeconfig, so that no other cluster is ever touched. */
export type Kubectl = {
  readonly kubeconfig: string;
  /** What binds a kubectl that the caller starts. */
  readonly bound: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> };
  /** Standard output, trimmed; an error when kubectl fails. */
  readonly run: (args: readonly string[], options?: CommandOptions) => Promise<string>;
  readonly try: (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
  readonly apply: (yaml: string) => Promise<string>;
  /** The object as the API server has it; undefined when there is none. */
  readonly get: (kind: string, name: string, namespace?: string) => Promise<Json | undefined>;
  readonly list: (kind: string, args?: readonly string[]) => Promise<readonly Json[]>;
  readonly helm: (args: readonly string[]) => Promise<string>;
};

const inNamespace = (namespace?: string): string[] => (namespace === undefined ? [] : ["-n", namespace]);

export function kubectlFor(kubeconfig: string, context?: string): Kubectl {
  const env = bindingEnv(kubeconfig, process.env);
  const base = context === undefined ? [] : ["--context", context];
  const call = (args: readonly string[], options: CommandOptions = {}): Promise<string> =>
    run("kubectl", [...base, ...args], { ...options, env });
  const attempt = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    tryRun("kubectl", [...base, ...args], { ...options, env });
  return {
    kubeconfig,
    bound: { args: base, env },
    run: call,
    try: attempt,
    apply: (yaml) => call(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: yaml }),
    get: async (kind, name, namespace) => {
      const text = await call(["get", kind, name, ...inNamespace(namespace), "--ignore-not-found", "-o", "json"]);
      return text === "" ? undefined : parseJson(text);
    },
    list: async (kind, args = ["-A"]) => items(parseJson(await call(["get", kind, ...args, "-o", "json"])), "items"),
    helm: (args) => run("helm", [...(context === undefined ? [] : ["--kube-context", context]), ...args], { env }),
  };
}

/** A user's own settings lead elsewhere: helm's to another server, kubectl's preferences to other output. */
export function bindingEnv(
  kubeconfig: string,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const foreign = Object.keys(environment).filter((name) => name.startsWith("HELM_KUBE") || name === "HELM_NAMESPACE");
  return {
    ...Object.fromEntries(foreign.map((name) => [name, undefined])),
    KUBECONFIG: kubeconfig,
    KUBERC: "off",
    KUBECACHEDIR: join(clone, ".local/kube-cache"),
  };
}

/** Looks again every 200 ms until `look` gives a value; after the time it fails with what `look` last said. */
export async function eventually<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  const until = performance.now() + seconds * 1000;
  let last = "";
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined) return value;
      last = "";
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() > until)
      throw new Error(`${what}: not true within ${seconds} s${last === "" ? "" : `; last error: ${last}`}`);
    await sleep(200);
  }
}
