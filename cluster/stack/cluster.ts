import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { run } from "./command.ts";
import { clone } from "./install.ts";
import { type Kubectl, kubectlFor } from "./kubectl.ts";

type Choice = {
  /** Start the project's own cluster when it is not there. */ readonly up: boolean;
  readonly say: (message: string) => void;
};

/**
 * The cluster that a command works on: the project's own, or with CLUSTER=current the user's current context.
 * The latter is printed and asked for; without a terminal it takes YES=1. Images are built and loaded in both cases.
 */
export async function chosenCluster({ up, say }: Choice): Promise<Kubectl> {
  const kubectl = process.env["CLUSTER"] === undefined ? await ownCluster(up, say) : await currentCluster(say);
  if (up) {
    say("Container images");
    await script("cluster/images/build");
    // Whoever came this far has said yes; the script, which asks for itself, has no terminal.
    await script("cluster/load-images", { YES: "1" });
  }
  return kubectl;
}

/** Ends the project's own cluster, whichever clone started it. */
export async function endCluster(say: (message: string) => void): Promise<void> {
  say("Ending the cluster");
  await script("cluster/down");
}

/** The cluster of the tests, named by CLUSTER_NAME: it stands already. */
export async function testCluster(): Promise<Kubectl> {
  return kubectlFor(await ownKubeconfig());
}

/** A command in the namespaces of the cluster's node, where its mounts and pods' addresses are seen. */
export async function inNode(command: readonly string[]): Promise<string> {
  return await run(join(clone, "cluster/enter"), command);
}

async function ownCluster(up: boolean, say: (message: string) => void): Promise<Kubectl> {
  if (up) {
    say("A Kubernetes of its own, from packages");
    await script("cluster/tools");
    await script("cluster/up");
  }
  return kubectlFor(await ownKubeconfig());
}

async function ownKubeconfig(): Promise<string> {
  return await run(join(clone, "cluster/paths"), ["kubeconfig"]);
}

async function currentCluster(say: (message: string) => void): Promise<Kubectl> {
  if (process.env["CLUSTER"] !== "current") throw new Error(`CLUSTER=${process.env["CLUSTER"]}: the only value is "current"`);
  await script("cluster/tools");
  const kubeconfig = process.env["KUBECONFIG"] ?? join(process.env["HOME"] ?? "", ".kube/config");
  if (!existsSync(kubeconfig.split(":")[0] ?? "")) throw new Error(`CLUSTER=current: there is no kubeconfig at ${kubeconfig}`);
  const context = await run("kubectl", ["config", "current-context"], { env: { KUBECONFIG: kubeconfig } });
  say(`CLUSTER=current: context ${context}`);
  if (process.env["YES"] !== "1" && !(await confirmed(context)))
    throw new Error("Nothing was installed. Set YES=1, or answer yes, to go on.");
  return kubectlFor(kubeconfig, context);
}

async function confirmed(context: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Install into ${context}? Type yes: `);
  terminal.close();
  return answer.trim() === "yes";
}

/** One of cluster/'s scripts; what it prints is the user's progress. */
async function script(path: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(join(clone, path), { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  await once(child, "exit");
  if (child.exitCode !== 0)
    throw new Error(`${path} ended with status ${child.exitCode ?? "none, by a signal"}; its last lines say why`);
}
