import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { clone } from "./clone.ts";
import { run } from "./command.ts";
import { type Kubectl, kubectlFor } from "./kubectl.ts";

type Say = (message: string) => void;

/** Whether CLUSTER=current asks for a cluster of the user's. As for the scripts, an empty CLUSTER asks for nothing. */
export function asksForCurrent(): boolean {
  const asked = process.env["CLUSTER"] ?? "";
  if (asked !== "" && asked !== "current") throw new Error(`CLUSTER=${asked}: the only value is "current"`);
  return asked === "current";
}

/** Starts the project's own cluster, or takes the one that stands. It has the images at the end, which are built meanwhile. */
export async function startClusterWithImages(say: Say): Promise<Kubectl> {
  say("Starting a Kubernetes cluster of its own, from packages, and building its container images");
  await script("cluster/tools");
  // Both to their ends, also where one fails: its error is the last that is said.
  for (const end of await Promise.allSettled([script("cluster/up"), script("cluster/images/build")]))
    if (end.status === "rejected") throw end.reason;
  await script("cluster/load-images");
  return await testCluster();
}

/** Ends the project's own cluster, whichever clone started it. */
export async function endCluster(say: Say): Promise<void> {
  say("Ending the cluster");
  await script("cluster/down");
}

/** The user's cluster: the current context of kubectl as it is now, whatever it is made later. */
export async function currentCluster(say: Say): Promise<{ readonly kubectl: Kubectl; readonly context: string }> {
  await script("cluster/tools");
  const kubeconfig = process.env["KUBECONFIG"] ?? join(process.env["HOME"] ?? "", ".kube/config");
  if (!existsSync(kubeconfig.split(":")[0] ?? "")) throw new Error(`CLUSTER=current: there is no kubeconfig at ${kubeconfig}`);
  const context = await run("kubectl", ["config", "current-context"], { env: { KUBECONFIG: kubeconfig, KUBERC: "off" } });
  say(`CLUSTER=current: context ${context}`);
  return { kubectl: kubectlFor(kubeconfig, context), context };
}

/** Builds the images and brings them into the user's cluster, who has agreed to it. */
export async function bringImages(say: Say, context: string): Promise<void> {
  say("Building the container images and bringing them into the cluster");
  await script("cluster/load-images", { YES: "1", CLUSTER_CONTEXT: context }); // it asks for itself, and has no terminal
}

/** The project's cluster of the name CLUSTER_NAME, as the tests use it: it stands already. */
export async function testCluster(): Promise<Kubectl> {
  const name = process.env["CLUSTER_NAME"] || "delphix";
  const kubeconfig = await run(join(clone, "cluster/paths"), ["kubeconfig"]);
  if (!existsSync(kubeconfig))
    throw new Error(`cluster ${name} has no kubeconfig at ${kubeconfig}: start it by CLUSTER_NAME=${name} make cluster-up`);
  // By the context of this name: with the kubeconfig of another cluster every call fails, and none goes astray.
  return kubectlFor(kubeconfig, name);
}

/** Kills the kubelet and starts it again. */
export async function restartKubelet(): Promise<void> {
  await run(join(clone, "cluster/restart-kubelet"), []);
}

/** A command in the namespaces of the cluster's node, where its mounts and pods' addresses are seen. */
export async function inNode(command: readonly string[]): Promise<string> {
  return await run(join(clone, "cluster/enter"), command);
}

/** One of cluster/'s scripts; what it prints is the user's progress. */
async function script(path: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(join(clone, path), { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  await once(child, "exit");
  if (child.exitCode !== 0)
    throw new Error(`${path} ended with status ${child.exitCode ?? "none, by a signal"}; the last lines of its output say why`);
}
