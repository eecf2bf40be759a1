import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { readyVdb } from "../testing/objects.ts";
import { logWithoutSecrets, reportOf, withoutSecrets, yamlOf } from "./report.ts";

test("a manifest loses its password, its scripts and what kubectl has kept of it", () => {
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": '{"password":"hunter22"}', owner: "me" };
  const vdb = readyVdb({
    metadata: { annotations, managedFields: [] },
    spec: {
      database: { password: "hunter22" },
      hooks: [{ name: "mask", stage: "post-create", script: "ALTER ROLE x PASSWORD 'hunter22'" }],
    },
  });
  const text = yamlOf([vdb]);
  equal(text.includes("hunter22"), false, text);
  match(text, /password: \(8 characters\)/u);
  match(text, /script: \(32 characters\)/u);
  match(text, /owner: me/u);
  equal(text.includes("managedFields"), false);
});

test("numbers, lists and what is empty stay as they are", () =>
  deepEqual(withoutSecrets({ a: [1, { b: null, output: 3 }], c: "" }), { a: [1, { b: null, output: 3 }], c: "" }));

for (const [line, want] of [
  ["ALTER ROLE app PASSWORD 'it''s one' VALID", "ALTER ROLE app PASSWORD (redacted) VALID"],
  ["connecting with password=abc123, host=db", "connecting with password=(redacted), host=db"],
  ['{"token":"abc"}', '{"token":(redacted)}'],
  ["postgres://app:s3cret@db/orders", "postgres://app:(redacted)@db/orders"],
  ["role app uses hunter22 here", "role app uses (redacted) here"],
  ["database system is ready", "database system is ready"],
] as const)
  test(`a log line: ${line}`, () => equal(logWithoutSecrets(line, ["hunter22", ""]), want));

test("a report is one part after the other", () =>
  equal(
    reportOf([
      { title: "A", text: "a\n\n" },
      { title: "B", text: "b" },
    ]),
    "==== A\na\n\n==== B\nb\n\n",
  ));
