import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { allows, grantFor, type Reference } from "./grant.ts";

const reference: Reference = {
  from: { group: "actions.delphix.com", kind: "PostgresTask", namespace: "tools" },
  to: { group: "core.delphix.com", kind: "PostgresVDB", namespace: "shop", name: "orders" },
};
const from = [{ group: "actions.delphix.com", kind: "PostgresTask", namespace: "tools" }];
const to = [{ group: "core.delphix.com", kind: "PostgresVDB" }];

const rows: { readonly name: string; readonly spec: object; readonly want: boolean }[] = [
  { name: "of all databases", spec: { from, to }, want: true },
  { name: "of this database", spec: { from, to: [{ ...to[0], name: "orders" }] }, want: true },
  { name: "of another database", spec: { from, to: [{ ...to[0], name: "billing" }] }, want: false },
  { name: "to another kind of action", spec: { from: [{ ...from[0], kind: "PostgresRefresh" }], to }, want: false },
  { name: "to another namespace", spec: { from: [{ ...from[0], namespace: "dev" }], to }, want: false },
  { name: "of another group's kind", spec: { from, to: [{ ...to[0], group: "" }] }, want: false },
  { name: "of nothing", spec: {}, want: false },
];
for (const { name, spec, want } of rows) test(`a grant ${name}`, () => equal(allows([{ spec }], reference), want));

const ofCore = { group: "", kind: "PersistentVolumeClaim", namespace: "shop", name: "123" };
for (const one of [reference, { ...reference, to: ofCore }])
  test(`the grant that a refusal prints is one that allows it: ${one.to.kind} ${one.to.name}`, () => {
    const grant: { readonly metadata: object; readonly spec: object } = parse(grantFor(one));
    equal(allows([grant], one), true);
    deepEqual(grant.metadata, { name: `${one.to.name}-from-tools`, namespace: "shop" });
  });
