import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { bindingEnv } from "./kubectl.ts";

test("a user's settings lead neither kubectl nor helm to another cluster", () => {
  const environment = {
    HELM_KUBECONTEXT: "work",
    HELM_KUBEAPISERVER: "https://work",
    HELM_NAMESPACE: "work",
    HELM_DEBUG: "1",
    HOME: "/h",
  };
  const { KUBECACHEDIR, ...env } = bindingEnv("/k", environment);
  deepEqual(env, {
    HELM_KUBECONTEXT: undefined,
    HELM_KUBEAPISERVER: undefined,
    HELM_NAMESPACE: undefined,
    KUBECONFIG: "/k",
    KUBERC: "off",
  });
  equal(KUBECACHEDIR?.endsWith("/.local/kube-cache"), true, "what it learns of this cluster stays in the clone");
});
