import { deepEqual, equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { isFullTier, startApiServer, type TestApiServer, testSeed } from "kube-runtime/testing";
import { jsonSchema } from "../src/generate/json-schema.ts";
import { decode, type Kind, kinds } from "../src/index.ts";
import type { Schema } from "../src/schema.ts";
import { underlined } from "./generated/editor.ts";
import { mutantOf } from "./generated/mutate.ts";
import { validSpec } from "./generated/valid-spec.ts";
import { type Answer, type Api, installKinds, openApi, pathOf } from "./testing/api.ts";
import { isObject, textAt } from "./testing/json.ts";

const namespace = "pg-operator";
const runs = isFullTier ? { valid: 500, mutated: 2000 } : { valid: 50, mutated: 100 };

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

const manifestOf = ({ group, version, kind }: Kind, spec: unknown): object => ({
  apiVersion: `${group}/${version}`,
  kind,
  metadata: { name: "generated", namespace },
  spec,
});
const create = async (kind: Kind, manifest: unknown): Promise<Answer> =>
  await api.send("POST", `${pathOf(kind, namespace)}?dryRun=All&fieldValidation=Strict`, manifest);

/** What was stored means what was sent: the same, with the documented defaults. */
function assertMeaning(kind: Kind, spec: unknown, answer: Answer): void {
  const metadata = {
    ...(isObject(answer.body["metadata"]) ? answer.body["metadata"] : {}),
    resourceVersion: "none in a dry run",
  };
  const sent = decode(kind, { ...answer.body, metadata, spec: withoutNull(kind.spec, spec) });
  deepEqual(answer.body["spec"], sent.spec);
}

for (const kind of kinds) {
  test(`${kind.kind}: what the documentation allows is accepted, means what it says, and no editor underlines it (seed ${testSeed})`, async () => {
    const holds = fc.asyncProperty(validSpec(kind), async (spec) => {
      const manifest = manifestOf(kind, spec);
      const answer = await create(kind, manifest);
      equal(textAt(answer.body, "message"), "");
      deepEqual(answer.warnings, []);
      assertMeaning(kind, spec, answer);
      deepEqual(underlined(jsonSchema(kind), manifest), []);
    });
    await fc.assert(holds, { seed: testSeed, numRuns: runs.valid });
  });

  test(`${kind.kind}: a mutated object is refused, or is one that the documentation allows as well (seed ${testSeed})`, async () => {
    const seen = { refused: 0, accepted: 0 };
    const holds = fc.asyncProperty(validSpec(kind).chain(mutantOf), async ({ spec }) => {
      const manifest = manifestOf(kind, spec);
      const answer = await create(kind, manifest);
      if (answer.status >= 400) {
        seen.refused += 1;
        equal([400, 422].includes(answer.status), true, `a refusal, no failure: ${textAt(answer.body, "message")}`);
        return;
      }
      seen.accepted += 1;
      assertMeaning(kind, spec, answer);
      deepEqual(underlined(jsonSchema(kind), manifestOf(kind, withoutNull(kind.spec, spec))), []);
    });
    await fc.assert(holds, { seed: testSeed, numRuns: runs.mutated });
    equal(seen.refused > 0 && seen.accepted > 0, true, JSON.stringify(seen));
  });
}

/** null is the same as leaving a field out: so says the reference, and so does every kind of Kubernetes. */
function withoutNull(schema: Schema | undefined, value: unknown): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) return "items" in schema ? value.map((item) => withoutNull(schema.items, item)) : value;
  if (!isObject(value)) return value;
  const fieldOf = (name: string): Schema | undefined =>
    "properties" in schema && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNull(fieldOf(name), inner)]));
}
