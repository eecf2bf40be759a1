import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startApiServer, type TestApiServer } from "kube-runtime/testing";
import { parse } from "yaml";
import { jsonSchema } from "../src/generate/json-schema.ts";
import { crd, type Kind, kinds } from "../src/index.ts";
import { underlined } from "./generated/editor.ts";
import { actionRows, actionUpdateRows, misplacedRows, rewindRows } from "./rules/action-rows.ts";
import { nativeRows } from "./rules/native.ts";
import type { RuleRow } from "./rules/rows.ts";
import { vdbRows, vdbUpdateRows } from "./rules/vdb-rows.ts";
import { type Answer, type Api, installKinds, kindNamed, openApi, pathOf } from "./testing/api.ts";
import { at, isObject, type Json, listAt, parsePath, textAt, withValue } from "./testing/json.ts";

const namespace = "pg-operator";
let server: TestApiServer;
let api: Api;
before(async () => {
  server = await startApiServer();
  api = await openApi(server);
  await installKinds(api, namespace);
});
after(async () => {
  api[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

/** A sample with every field: what rows change. */
const bases: Readonly<Record<string, string>> = {
  PostgresVDB: "postgresvdb-every-field",
  PostgresSnapshot: "postgressnapshot-every-field",
  PostgresRefresh: "postgresrefresh-dct-snapshot",
};
function base({ kind }: Kind): unknown {
  const file = join(import.meta.dirname, "../../../samples", `${bases[kind] ?? kind.toLowerCase()}.yaml`);
  const sample: unknown = parse(readFileSync(file, "utf8"));
  const withoutPassword =
    kind === "PostgresVDB" ? withValue(sample, ["spec", "database"], { passwordSecretRef: "my-db-password" }) : sample;
  return withValue(withoutPassword, ["spec", "OwnershipSpec"], undefined);
}

const hasSnapshotRef = ({ spec }: Kind): boolean => Object.hasOwn(spec.properties, "snapshotRef");
function rowsOf(kind: Kind): readonly RuleRow[] {
  if (kind.kind === "PostgresVDB") return vdbRows;
  return [
    ...actionRows(kind),
    ...(hasSnapshotRef(kind) ? misplacedRows : []),
    ...(kind.kind.endsWith("Rewind") ? rewindRows : []),
  ];
}
const updateRowsOf = ({ kind }: Kind): readonly RuleRow[] => (kind === "PostgresVDB" ? vdbUpdateRows : actionUpdateRows);

const change = (object: unknown, changes: Readonly<Record<string, unknown>>): unknown =>
  Object.entries(changes).reduce((changed, [path, value]) => withValue(changed, parsePath(path), value), object);
const manifests = (kind: Kind, { field, given = {}, refused, accepted }: RuleRow) => {
  const from = change(
    field.startsWith("spec.ownershipSpec") || field.startsWith("spec.OwnershipSpec")
      ? change(base(kind), { "spec.ownershipSpec": undefined })
      : base(kind),
    given,
  );
  return { refused: change(from, { [field]: refused }), accepted: accepted.map((value) => change(from, { [field]: value })) };
};

const create = async (kind: Kind, manifest: unknown): Promise<Answer> =>
  await api.send("POST", `${pathOf(kind, namespace)}?dryRun=All&fieldValidation=Strict`, manifest);
const causes = ({ body }: Answer): string[] =>
  listAt(body, "details", "causes").map((cause) => `${textAt(cause, "field")}: ${textAt(cause, "message")}`);
const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** Refused, with one cause at the field that says the message; and none that prints a password. */
function assertRefused(answer: Answer, field: string, message: string, seen: Set<string>): void {
  equal(answer.status, 422, `it was accepted; ${textAt(answer.body, "message")}`);
  const found = causes(answer).find((cause) => cause.startsWith(`${field}: `) && cause.includes(message));
  ok(found !== undefined, `wanted "${field}: … ${message}", found:\n${causes(answer).join("\n")}`);
  seen.add(`${field.replaceAll(/\[\d+\]/gu, "[]")}: ${message}`);
  seen.add(`${field.replace(/\[[^\]]+\]$/u, ".*")}: ${message}`); // an entry of a map
}
const assertAccepted = (answer: Answer, value: unknown): void =>
  deepEqual(
    { value: short(value), causes: causes(answer), warnings: answer.warnings, accepted: answer.status < 300 },
    { value: short(value), causes: [], warnings: [], accepted: true },
    textAt(answer.body, "message"),
  );

for (const kind of kinds) {
  describe(kind.kind, () => {
    const seen = new Set<string>();

    for (const row of rowsOf(kind)) {
      test(`${row.field} ${short(row.refused)} is refused: ${row.message}`, async () => {
        const { refused, accepted } = manifests(kind, row);
        assertRefused(await create(kind, refused), row.at ?? row.field, row.message, seen);
        for (const [index, manifest] of accepted.entries()) assertAccepted(await create(kind, manifest), row.accepted[index]);
      });
    }

    for (const row of updateRowsOf(kind)) {
      test(`${row.field} cannot become ${short(row.refused)}: ${row.message}`, async () => {
        const created = await api.send("POST", pathOf(kind, namespace), base(kind));
        equal(created.status, 201, textAt(created.body, "message"));
        const path = `${pathOf(kind, namespace)}/${textAt(created.body, "metadata", "name")}`;
        const update = async (from: unknown, value: unknown): Promise<Answer> =>
          await api.send("PUT", `${path}?dryRun=All`, change(from, { [row.field]: value }));
        const { given = {} } = row;
        if (Object.keys(given).length > 0) assertAccepted(await update(created.body, row.refused), row.refused);
        const stored = await api.send("PUT", `${path}/status`, change(created.body, given));
        equal(stored.status, 200, textAt(stored.body, "message"));
        assertRefused(await update(stored.body, row.refused), row.at ?? row.field, row.message, seen);
        for (const value of [at(stored.body, ...parsePath(row.field)), ...row.accepted])
          assertAccepted(await update(stored.body, value), value);
        await api.send("DELETE", path);
      });
    }

    test("what the API server words itself: enums, required fields, types, lengths", async () => {
      const rows = nativeRows("spec", kind.spec);
      for (const { field, refused, message } of rows) {
        const manifest = change(base(kind), { [field]: refused });
        const answer = await create(kind, manifest);
        equal(answer.status, 422, `${field} ${short(refused)} was accepted`);
        ok(underlined(jsonSchema(kind), manifest).length > 0, `an editor does not underline ${field} ${short(refused)}`);
        ok(
          causes(answer).some((cause) => (cause.startsWith(field) || cause.includes(`"${field}"`)) && cause.includes(message)),
          `wanted "${field}: … ${message}", found:\n${causes(answer).join("\n")}`,
        );
      }
      ok(rows.length > 10, "the table is not empty");
    });

    test("each CEL rule of the CRD has a row above", () => {
      const rules = rulesIn("", at(crd(kind), "spec", "versions", 0, "schema", "openAPIV3Schema"));
      const missing = rules.filter(
        ({ field, message }) => ![...seen].some((one) => one.startsWith(`${field}: `) && one.endsWith(message)),
      );
      deepEqual(missing, []);
      ok(rules.length > 4);
    });
  });
}

const vdb = kindNamed("PostgresVDB");

test("a list's entry that comes twice is refused, naming its key", async () => {
  const hook = { name: "mask", stage: "post-create", script: "SELECT 1" };
  const setting = { name: "work_mem", value: "1MB" };
  const answer = await create(
    vdb,
    change(base(vdb), {
      "spec.hooks": [hook, hook],
      "spec.postgresConfig": [setting, setting],
      "spec.accessModes": ["ReadWriteOnce", "ReadWriteOnce"],
    }),
  );
  deepEqual(
    causes(answer)
      .filter((cause) => cause.includes("Duplicate"))
      // An API server of Kubernetes 1.32 prints them as Go does.
      .map((cause) => cause.replace(/map\[string\]interface \{\}(.*)/u, (_, value: string) => value.replaceAll(", ", ",")))
      .toSorted(),
    [
      'spec.accessModes[1]: Duplicate value: "ReadWriteOnce"',
      'spec.hooks[1]: Duplicate value: {"name":"mask","stage":"post-create"}',
      'spec.postgresConfig[1]: Duplicate value: {"name":"work_mem"}',
    ],
  );
  assertAccepted(
    await create(vdb, change(base(vdb), { "spec.hooks": [hook, { ...hook, stage: "post-refresh" }] })),
    "the same name at another stage",
  );
});

test("as many and as long entries as the limits allow are still within CEL's cost budget", async () => {
  const settings = Array.from({ length: 100 }, (_, index) => ({ name: `s${index}`.padEnd(63, "_"), value: "v".repeat(1024) }));
  const hooks = Array.from({ length: 64 }, (_, index) => ({
    name: `h${index}`,
    stage: "post-create",
    script: "x".repeat(16_000),
  }));
  assertAccepted(await create(vdb, change(base(vdb), { "spec.postgresConfig": settings, "spec.hooks": hooks })), "the largest");
  const oneMore = await create(vdb, change(base(vdb), { "spec.postgresConfig": [...settings, { name: "a", value: "b" }] }));
  ok(
    causes(oneMore).some((cause) => cause.includes("must have at most 100 items")),
    causes(oneMore).join(),
  );
});

test("a field that there is not is named, not dropped, by kubectl's usual strictness", async () => {
  const answer = await create(vdb, change(base(vdb), { "spec.storageClass": "de-fs-storage" }));
  equal(answer.status, 400);
  ok(textAt(answer.body, "message").includes('unknown field "spec.storageClass"'), textAt(answer.body, "message"));
});

test("an owner that turned out not to be the data's can be corrected", async () => {
  const created = await api.send("POST", pathOf(vdb, namespace), base(vdb));
  const path = `${pathOf(vdb, namespace)}/${textAt(created.body, "metadata", "name")}`;
  const words = { reason: "OwnerMismatch", message: "the data belongs to 70:70" };
  const mismatch = { type: "Deployed", status: "False", ...words, lastTransitionTime: "2026-01-01T00:00:00Z" };
  const status = { "status.delphixID": "1-APPDATA_CONTAINER-7", "status.conditions": [mismatch] };
  const stored = await api.send("PUT", `${path}/status`, change(created.body, status));
  equal(stored.status, 200, textAt(stored.body, "message"));
  assertAccepted(await api.send("PUT", `${path}?dryRun=All`, change(stored.body, { "spec.ownershipSpec": "70:70" })), "70:70");
  await api.send("DELETE", path);
});

test("a refused password is not printed", async () => {
  const answer = await create(
    vdb,
    change(base(vdb), { "spec.database": { password: "hunter2", passwordSecretRef: "my-db-password" } }),
  );
  equal(answer.status, 422);
  equal(JSON.stringify(answer.body).includes("hunter2"), false, JSON.stringify(answer.body));
});

/** Every CEL rule below a schema node with the field that its message names. */
function rulesIn(path: string, schema: unknown): { field: string; message: string }[] {
  if (!isObject(schema)) return [];
  const own = listAt(schema, "x-kubernetes-validations").map((rule) => ({
    field: `${path}${textAt(rule, "fieldPath")}`.replace(/^\./u, ""),
    message: textAt(rule, "message"),
  }));
  const properties: Json = isObject(schema["properties"]) ? schema["properties"] : {};
  return [
    ...own,
    ...Object.entries(properties).flatMap(([name, field]) =>
      name === "status" && path === "" ? [] : rulesIn(`${path}.${name}`, field),
    ),
    ...rulesIn(`${path}[]`, schema["items"]),
    ...rulesIn(`${path}.*`, schema["additionalProperties"]),
  ];
}
