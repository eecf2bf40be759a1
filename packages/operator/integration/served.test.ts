/** An operator that serves some namespaces, with the rights that the chart gives it there and as the chart's service account. */
import { equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { httpApi } from "kube-runtime";
import { playCluster } from "./testing/fake-cluster.ts";
import { fakeDct } from "./testing/fake-dct.ts";
import {
  applyVdb,
  forever,
  isReady,
  makePassword,
  newNamespace,
  startBench,
  startOperator,
  untilVdb,
  vdbs,
} from "./testing/operator.ts";
import { until } from "./testing/until.ts";

const root = join(import.meta.dirname, "../../..");
const bin = (name: string, args: readonly string[], input = ""): string => {
  const { status, stdout, stderr } = spawnSync(join(root, ".local/bin", name), args, { encoding: "utf8", input });
  equal(status, 0, stderr);
  return stdout;
};

describe("an operator of some namespaces", { timeout: 120_000 }, () => {
  test("it brings up the databases of these, with a Role in each alone, and tells them of no other", async () => {
    const user = "system:serviceaccount:pg-operator:delphix-operator";
    await using stack = new AsyncDisposableStack();
    const { client, server } = stack.use(await startBench({ users: [{ name: user }] }));
    for (const namespace of ["sales", "billing", "others"]) {
      await newNamespace(client, namespace);
      await makePassword(client, namespace);
      stack.use(playCluster(client, namespace));
      await applyVdb(client, namespace, "orders");
    }
    const served = ["--set", "watchNamespaces={sales,billing}", "--namespace", "pg-operator"];
    const chart = ["template", "op", join(root, "charts/delphix-operator"), "--show-only", "templates/rbac.yaml", ...served];
    const kubectl = ["--kubeconfig", server.kubeconfig];
    bin("kubectl", [...kubectl, "apply", "-f", "-"], bin("helm", chart));
    const api = stack.use(httpApi(server.connectionAs(user)));
    const dct = fakeDct();
    stack.use(startOperator(api, dct, ["--watch-namespaces=sales,billing"]));

    for (const namespace of ["sales", "billing"]) await untilVdb(client, namespace, "orders", isReady);

    const { status } = await client.get(vdbs, { namespace: "others", name: "orders" }, forever);
    equal(status.conditions, undefined);
    const refresh = { vdbRef: { name: "orders", namespace: "others" } };
    const action = {
      apiVersion: "actions.delphix.com/v1alpha1",
      kind: "VDBRefresh",
      metadata: { name: "far", namespace: "sales" },
    };
    bin("kubectl", [...kubectl, "apply", "-f", "-"], JSON.stringify({ ...action, spec: refresh }));
    const message = await until("the refresh says why it waits", async () => {
      const told = ["get", "vdbrefresh", "far", "-n", "sales", "-o", "jsonpath={.status.conditions[*].message}"];
      return bin("kubectl", [...kubectl, ...told]) || undefined;
    });
    match(message, /serves the namespaces sales, billing alone, not others/u);
  });
});
