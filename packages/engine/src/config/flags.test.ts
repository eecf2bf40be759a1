import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { readFlags } from "./flags.ts";

test("nothing given: the documented defaults, the node's name from the pod's environment", () => {
  const flags = readFlags([], { NODE_NAME: "node-1", KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" });
  equal(flags.dataDir, "/var/lib/delphix-engine");
  equal(flags.listenPort, 8443);
  equal(flags.nodeName, "node-1");
  deepEqual(flags.pod, { host: "fd00::1", port: "6443" });
  equal(flags.publishNamespaces.length, 0);
});

test("an address of IPv6 to listen on, and a list of namespaces", () => {
  const flags = readFlags(["--listen=[::1]:0", "--publish-credentials=a,b"], {});
  equal(flags.listenHost, "::1");
  equal(flags.publishNamespaces.join(" "), "a b");
});

for (const bad of [["--listen=8443"], ["--listen=x:99999"], ["--no-such-flag"], ["--log-level=loud"]])
  test(`refused: ${bad.join(" ")}`, () => throws(() => readFlags(bad, {})));
