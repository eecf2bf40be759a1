/**
 * The rights that the charts give, held against the API server's audit log of the e2e run before: nothing that was needed was refused,
 * and every verb was used or has a reason here. Full tier: it is worth something behind the whole run only. What it has found is in
 * .local/rights.txt; with KEEP_CLUSTER=1 `node scripts/run-tests.ts after rights` looks again, after a change of a chart too.
 */
import { deepEqual, ok } from "node:assert/strict";
import { createReadStream, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { before, describe, test } from "node:test";
import { items, operatorNamespace, parseJson, run, storageNamespace, testCluster } from "@vdb/cluster";
import {
  auditedRights,
  type Compared,
  compareRights,
  grantedRights,
  type Reason,
  rightsReport,
  rightText,
} from "./rights/rights.ts";

const kubectl = await testCluster();
const state = await run(join(import.meta.dirname, "../cluster/paths"), ["state"]);
const log = join(state, "var/log/audit.log");
const namespaces = [operatorNamespace, storageNamespace, "snapshot-controller"];

/** Rights that no e2e test needs, or whose use the log does not show as that verb. */
const reasons: readonly Reason[] = [
  {
    rights:
      /^pg-operator\/delphix-operator: create (?:configmaps|deployments|services|poddisruptionbudgets|(?:vdb|postgres)\w+\.actions)/u,
    why: "an apply that makes an object is logged as a patch, and needs this too",
  },
  { rights: /: create pods\/exec$/u, why: "a websocket is logged as get; from Kubernetes 1.35 on it needs this too" },
  { rights: /: patch events$/u, why: "an event that comes again is counted" },
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
  let granted: readonly string[] = [];
  let refused: readonly string[] = [];
  let compared: Compared;
  before(async () => {
    const objects = await kubectl.run(["get", "roles,clusterroles,rolebindings,clusterrolebindings", "-A", "-o", "json"]);
    const lines: string[] = [];
    for await (const line of createInterface({ input: createReadStream(log) })) lines.push(line);
    const given = grantedRights(items(parseJson(objects), "items"), namespaces);
    const audited = auditedRights(lines, namespaces);
    granted = given.map(rightText);
    refused = audited.refused;
    compared = compareRights(given, audited.used, reasons);
    const report = join(import.meta.dirname, "../.local/rights.txt");
    writeFileSync(report, rightsReport(compared, refused));
  });

  test("nothing that a part asked for was refused", () => {
    deepEqual(refused, []);
  });

  test("every right that is given is used, or has a reason", (t) => {
    const { used, explained, needless } = compared;
    t.diagnostic(`${granted.length} rights given, ${used.length} used, ${explained.length} explained: .local/rights.txt`);
    ok(used.length > 50, "the log is of a whole run");
    deepEqual(needless, []);
  });

  test("no reason is left over", () => {
    deepEqual(
      reasons.filter(({ rights }) => !granted.some((right) => rights.test(right))),
      [],
    );
  });
});
