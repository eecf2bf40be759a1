import { equal } from "node:assert/strict";
import { test } from "node:test";
import { conflictAdvice, recovery } from "./install.ts";

const rows = [
  { status: "", want: undefined, why: "nothing is installed" },
  { status: "deployed", want: undefined, why: "an upgrade goes on from here" },
  { status: "failed", want: undefined, why: "so it does from here" },
  { status: "pending-install", want: "uninstall", why: "no revision is whole" },
  { status: "uninstalling", want: "uninstall", why: "what is half gone goes" },
  { status: "pending-upgrade", want: "rollback", why: "the revision before is whole" },
  { status: "pending-rollback", want: "rollback", why: "the revision before is whole" },
];
for (const { status, want, why } of rows)
  test(`a release in state "${status}": ${want ?? "nothing"} comes first, because ${why}`, () => equal(recovery(status), want));

test("helm's two kilobytes on fields of others become one line that names them and the way out", () => {
  const said = [
    'Error: UPGRADE FAILED: conflict occurred while applying object /postgresvdbs.core.delphix.com apiextensions.k8s.io/v1, Kind=CustomResourceDefinition: Apply failed with 2 conflicts: conflicts with "kubectl" using apiextensions.k8s.io/v1:',
    "- .spec.versions",
    '- .metadata.labels.x && failed to upgrade: conflict occurred while applying object pg-operator/delphix-operator apps/v1, Kind=Deployment: Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas',
  ].join("\n");
  equal(
    conflictAdvice("delphix-operator", said),
    "helm cannot upgrade release delphix-operator: kubectl, kubectl-edit has changed CustomResourceDefinition postgresvdbs.core.delphix.com, " +
      "Deployment delphix-operator since. If the chart's values are to hold, run the same helm upgrade once with --force-conflicts",
  );
  equal(conflictAdvice("x", "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress"), undefined);
});
