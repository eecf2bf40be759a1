import { deepEqual, match } from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "@vdb/cluster";
import { auditedRights, compareRights, grantedRights, rightsReport, rightText } from "./rights.ts";

const rule = (apiGroups: string[], resources: string[], verbs: string[]): Json => ({ apiGroups, resources, verbs });
const role = (kind: string, name: string, namespace: string | undefined, rules: Json[]): Json => ({
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  rules,
});
const binding = (kind: string, namespace: string | undefined, roleRef: Json, account: [string, string]): Json => ({
  kind,
  metadata: { name: "b", ...(namespace === undefined ? {} : { namespace }) },
  roleRef,
  subjects: [
    { kind: "ServiceAccount", namespace: account[0], name: account[1] },
    { kind: "Group", name: "people" },
  ],
});

const cluster: readonly Json[] = [
  role("ClusterRole", "databases", undefined, [
    rule(["apps"], ["deployments"], ["get", "create"]),
    rule([""], ["pods", "pods/exec"], ["get"]),
  ]),
  role("Role", "own", "ops", [rule(["coordination.k8s.io"], ["leases"], ["update"])]),
  role("Role", "own", "elsewhere", [rule([""], ["secrets"], ["get"])]),
  binding("ClusterRoleBinding", undefined, { kind: "ClusterRole", name: "databases" }, ["ops", "operator"]),
  binding("RoleBinding", "ops", { kind: "Role", name: "own" }, ["ops", "operator"]),
  binding("RoleBinding", "elsewhere", { kind: "Role", name: "own" }, ["elsewhere", "other"]),
];

const event = (username: string, verb: string, objectRef: Json, decision = "allow"): string =>
  JSON.stringify({ user: { username }, verb, objectRef, annotations: { "authorization.k8s.io/decision": decision } });
const operator = "system:serviceaccount:ops:operator";

test("rules and bindings come to one right for each account, verb and resource", () => {
  deepEqual(grantedRights(cluster, ["ops"]).map(rightText).toSorted(), [
    "ops/operator: create deployments.apps",
    "ops/operator: get deployments.apps",
    "ops/operator: get pods",
    "ops/operator: get pods/exec",
    "ops/operator: update leases.coordination.k8s.io",
  ]);
});

test("what is given and neither used nor named with a reason is too much; what RBAC refuses is too little", () => {
  const log = [
    event(operator, "get", { resource: "deployments", apiGroup: "apps", namespace: "shop", name: "orders" }),
    event(operator, "get", { resource: "pods", namespace: "shop", name: "p", subresource: "exec" }),
    event(operator, "update", { resource: "leases", apiGroup: "coordination.k8s.io", namespace: "ops", name: "l" }),
    event(operator, "list", { resource: "secrets", namespace: "shop" }, "forbid"),
    event("system:serviceaccount:elsewhere:other", "get", { resource: "pods" }),
    event("kubernetes-admin", "create", { resource: "deployments", apiGroup: "apps" }),
    JSON.stringify({ user: { username: operator }, verb: "get", requestURI: "/openapi/v3" }),
    "",
  ];
  const { used, refused } = auditedRights(log, ["ops"]);
  deepEqual(refused, ["ops/operator: list secrets shop/"]);
  const granted = grantedRights(cluster, ["ops"]);
  const reasons = [{ rights: /: get pods$/u, why: "a pod that came back" }];
  deepEqual(compareRights(granted, used, reasons), {
    used: [
      "ops/operator: get deployments.apps",
      "ops/operator: get pods/exec",
      "ops/operator: update leases.coordination.k8s.io",
    ],
    explained: ["ops/operator: get pods: a pod that came back"],
    needless: ["ops/operator: create deployments.apps"],
  });
});

const right = (verb: string, resource: string) => ({ account: "ops/operator", verb, resource });

test("a list is explained by the watch that it begins, and by nothing else", () => {
  const granted = [right("list", "pods"), right("watch", "pods"), right("list", "secrets"), right("watch", "secrets")];
  deepEqual(compareRights(granted, [right("watch", "pods")], []), {
    used: ["ops/operator: watch pods"],
    explained: ["ops/operator: list pods: begins the watch"],
    needless: ["ops/operator: list secrets", "ops/operator: watch secrets"],
  });
});

test("the report says first what is to be done", () => {
  const report = rightsReport({ used: ["a: get pods"], explained: [], needless: ["a: list secrets"] }, []);
  match(report, /^needed and refused: 0\n\ngiven, neither used nor explained: 1\n {2}a: list secrets\n\n/u);
});
