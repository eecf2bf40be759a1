import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { postgresVDB, resourceOf, vdbRefresh } from "@vdb/api";
import { type ApiCall, ApiError, customResourceDefinitions, pods } from "kube-runtime";
import { MissingRight, withRight } from "./missing-right.ts";
import { volumeSnapshots } from "./storage.ts";

const call = (parts: Partial<ApiCall>): ApiCall => ({
  verb: "get",
  resource: resourceOf(postgresVDB),
  query: {},
  timeoutSeconds: 1,
  ...parts,
});
const refused = (verb: string): ApiError =>
  new ApiError(
    { kind: "forbidden" },
    `x: y is forbidden: User "jane" cannot ${verb} resource "postgresvdbs" in API group "core.delphix.com"`,
  );

for (const { name, given, want } of [
  {
    name: "reading in a namespace",
    given: call({ verb: "get", namespace: "shop", name: "orders" }),
    want: [
      "jane may not get postgresvdbs.core.delphix.com in namespace shop",
      "the right that is missing: verb get on postgresvdbs.core.delphix.com in namespace shop",
      "the role view contains it: ask for it whoever administers namespace shop",
    ],
  },
  {
    name: "writing",
    given: call({ verb: "create", resource: resourceOf(vdbRefresh), namespace: "shop" }),
    want: [
      "jane may not create vdbrefreshes.actions.delphix.com in namespace shop",
      "the right that is missing: verb create on vdbrefreshes.actions.delphix.com in namespace shop",
      "the role edit contains it: ask for it whoever administers namespace shop",
    ],
  },
  {
    name: "all namespaces",
    given: call({ verb: "list" }),
    want: [
      "jane may not list postgresvdbs.core.delphix.com in all namespaces",
      "the right that is missing: verb list on postgresvdbs.core.delphix.com in all namespaces",
      "the role view contains it; for one namespace alone name it: -n NAMESPACE",
    ],
  },
  {
    name: "a subresource",
    given: call({ verb: "create", resource: pods, subresource: "exec", namespace: "shop" }),
    want: [
      "jane may not create pods/exec in namespace shop",
      "the right that is missing: verb create on pods/exec in namespace shop",
      "the role edit contains it: ask for it whoever administers namespace shop",
    ],
  },
  {
    name: "what the cluster's roles do not contain",
    given: call({ verb: "list", resource: volumeSnapshots, namespace: "shop" }),
    want: [
      "jane may not list volumesnapshots.snapshot.storage.k8s.io in namespace shop",
      "the right that is missing: verb list on volumesnapshots.snapshot.storage.k8s.io in namespace shop",
    ],
  },
  {
    name: "what belongs to no namespace",
    given: call({ verb: "list", resource: customResourceDefinitions }),
    want: [
      "jane may not list customresourcedefinitions.apiextensions.k8s.io in the cluster",
      "the right that is missing: verb list on customresourcedefinitions.apiextensions.k8s.io in the cluster",
    ],
  },
])
  test(`a refusal names the right: ${name}`, () => {
    const error = withRight(given, refused(given.verb));
    deepEqual(error instanceof MissingRight ? [error.message, ...error.advice] : error, want);
  });

test("a user who may not impersonate is told that, not what they wanted to do as somebody else", () => {
  const words =
    'list x: users "bob" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope';
  const error = withRight(call({ verb: "list", namespace: "shop" }), new ApiError({ kind: "forbidden" }, words));
  equal(error instanceof MissingRight && error.message, "jane may not impersonate users in the cluster");
});

test("a quota keeps its own words: no right would help", () => {
  const error = new ApiError({ kind: "forbidden" }, 'create x: pods "a" is forbidden: exceeded quota: small');
  equal(withRight(call({}), error), error);
});

test("what is no refusal stays", () => {
  const error = new ApiError({ kind: "notFound" }, "x");
  equal(withRight(call({}), error), error);
});
