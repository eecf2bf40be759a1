/**
 * The rights that the charts give, held against the API server's audit log of the e2e run before: nothing that was needed was refused,
 * and every verb was used or has a reason here. Full tier: it is worth something behind the whole run only.
 */
import { deepEqual, ok } from "node:assert/strict";
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { before, describe, test } from "node:test";
import { items, operatorNamespace, parseJson, run, storageNamespace, testCluster } from "@vdb/cluster";
import { auditedRights, grantedRights, needlessRights, type Right, rightText } from "./rights/rights.ts";

const kubectl = await testCluster();
const state = await run(join(import.meta.dirname, "../cluster/paths"), ["state"]);
const log = join(state, "var/log/audit.log");
const namespaces = [operatorNamespace, storageNamespace, "snapshot-controller"];

/** Rights that no e2e test needs, or whose use the log does not show as that verb. */
const reasons: readonly { readonly rights: RegExp; readonly why: string }[] = [
  {
    rights:
      /^pg-operator\/delphix-operator: create (?:configmaps|deployments|services|poddisruptionbudgets|(?:vdb|postgres)\w+\.actions)/u,
    why: "an apply that makes an object is logged as a patch, and needs this too",
  },
  { rights: /: create pods\/exec$/u, why: "a websocket is logged as get; from Kubernetes 1.35 on it needs this too" },
  { rights: /: patch events$/u, why: "an event that comes again is counted" },
  { rights: /: list \w/u, why: "caches begin with a list where the API server does not stream what there is" },
  {
    rights: /delphix-operator: get \w+\.actions\.delphix\.com$/u,
    why: "an action whose status was written meanwhile is read again",
  },
  {
    rights: /delphix-operator: delete \w+\.actions\.delphix\.com$/u,
    why: "ttlSecondsAfterFinished, and the history of a schedule: packages/operator/integration",
  },
  { rights: /delphix-operator: delete postgresvdbs\./u, why: "spec.expiry: packages/operator/integration/expiry.test.ts" },
  { rights: /delphix-operator: delete pods$/u, why: "a pod that cannot start is replaced when its cause may be fixed" },
  {
    rights: /delphix-operator: patch (?:persistentvolumeclaims|volumesnapshotcontents\.snapshot\.storage\.k8s\.io)$/u,
    why: "a claim that is kept is given away; what a copy went through goes, though its class retains it",
  },
  { rights: /: update postgresvdbs\.core\.delphix\.com\/finalizers$/u, why: "OwnerReferencesPermissionEnforcement asks for it" },
  {
    rights:
      /^(?:delphix-storage\/delphix-csi-controller|snapshot-controller\/snapshot-controller): (?:get|update|patch) (?:\w+\.(?:snapshot\.)?storage\.k8s\.io(?:\/status)?|nodes)$/u,
    why: "the stock programs' own manifests ask for it: they read and write again after a conflict",
  },
];

describe("the rights of the charts", { skip: existsSync(log) ? false : "the cluster was started without AUDIT=1" }, () => {
  const found: { granted: readonly Right[]; used: readonly Right[]; refused: readonly string[] } = {
    granted: [],
    used: [],
    refused: [],
  };
  before(async () => {
    const objects = await kubectl.run(["get", "roles,clusterroles,rolebindings,clusterrolebindings", "-A", "-o", "json"]);
    const lines: string[] = [];
    for await (const line of createInterface({ input: createReadStream(log) })) lines.push(line);
    Object.assign(found, {
      granted: grantedRights(items(parseJson(objects), "items"), namespaces),
      ...auditedRights(lines, namespaces),
    });
  });

  test("nothing that a part asked for was refused", () => {
    ok(found.used.length > 50, `${found.used.length} rights used`);
    deepEqual(found.refused, []);
  });

  test("every right that is given is used, or has a reason", () => {
    const needless = needlessRights(found.granted, found.used);
    deepEqual(
      needless.filter((right) => !reasons.some(({ rights }) => rights.test(right))),
      [],
    );
  });

  test("no reason is left over", () => {
    const granted = found.granted.map(rightText);
    deepEqual(
      reasons.filter(({ rights }) => !granted.some((right) => rights.test(right))),
      [],
    );
  });
});
