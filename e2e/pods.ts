import { type Json, type Kubectl, operatorNamespace, storageNamespace, text } from "@vdb/cluster";

/** Pods by their namespace and a label of theirs. */
export type Pods = { readonly namespace: string; readonly label: string };

export const operatorPods: Pods = { namespace: operatorNamespace, label: "app.kubernetes.io/name=delphix-operator" };
export const enginePods: Pods = { namespace: storageNamespace, label: "app.kubernetes.io/name=delphix-engine" };
export const podsOf = ({ name, namespace }: { readonly name: string; readonly namespace: string }): Pods => ({
  namespace,
  label: `app.kubernetes.io/instance=${name}`,
});

/** Those that are not about to end. */
export async function livePods(kubectl: Kubectl, { namespace, label }: Pods): Promise<readonly Json[]> {
  const pods = await kubectl.list("pods", ["-n", namespace, "-l", label]);
  return pods.filter((pod) => text(pod, "metadata", "deletionTimestamp") === "");
}

/** Without a chance to end what they do. `wait`: until they are gone. */
export async function killPods(
  kubectl: Kubectl,
  { namespace, label }: Pods,
  { wait = true }: { readonly wait?: boolean } = {},
): Promise<void> {
  await kubectl.run(["delete", "pod", "-n", namespace, "-l", label, `--wait=${wait}`, "--grace-period=0", "--force"]);
}
