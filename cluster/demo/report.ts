import type { Kubectl } from "../stack/kubectl.ts";
import type { Seconds } from "./mistake.ts";
import type { demoVdb } from "./vdb.ts";

export type Results = { readonly ready: number; readonly ownBytes: string; readonly actions: Seconds };

/** The demo's end: what it took, and how to go on. */
export function report(kubectl: Kubectl, vdb: typeof demoVdb, { ready, ownBytes, actions }: Results): void {
  const { name, namespace, port, secret } = vdb;
  console.log(`
From apply to Ready: ${took(ready)}
Bytes of its own:    ${ownBytes}
Snapshot:            ${took(actions.VDBSnapshot)}
Rewind:              ${took(actions.VDBRewind)}, and the deleted rows are back
Refresh:             ${took(actions.VDBRefresh)}, and production's new row is there

Connect:
  export KUBECONFIG=${kubectl.kubeconfig}
  export PGPASSWORD=$(.local/bin/kubectl get secret ${secret} -n ${namespace} -o jsonpath='{.data.password}' | base64 -d)
  .local/bin/kubectl port-forward svc/${name} ${port}:${port} -n ${namespace} &
  .local/bin/psql -h localhost -p ${port} -U postgres -d postgres
or inside the pod, without a password:
  .local/bin/kubectl exec -it deploy/${name} -n ${namespace} -- psql

Clean up:
  .local/bin/kubectl delete volumesnapshot my-vdb-snapshot -n ${namespace} # it keeps the volume of its database
  .local/bin/kubectl delete postgresvdb ${name} -n ${namespace}    # this virtual database
  make demo-down                                             # everything`);
}

const took = (seconds: number): string => `${seconds.toFixed(1)} s`;
