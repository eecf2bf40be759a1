import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { DSource, Snapshot, Vdb } from "./contract/datasets.ts";
import type { DatasetGroup, Engine, Environment } from "./contract/places.ts";
import { resolveDataset, resolveEnvironment, resolveGroup } from "./resolve.ts";

const engine: Engine = { id: "1", name: "prod-engine", hostname: "10.0.0.5" };

/** A search as a DCT would answer it, by the names that the filter mentions. The engine tests the grammar itself. */
const search =
  <T extends object>(all: readonly T[] = []) =>
  async (filter = ""): Promise<readonly T[]> => {
    const named = [...filter.matchAll(/(?<!_)(?:name|hostname) EQ '([^']*)'/gu)].map(([, name]) => name);
    const isNamed = (one: T): boolean =>
      Object.entries(one).some(([key, value]) => /^(host)?name$/u.test(key) && named.includes(value));
    return named.length === 0 ? all : all.filter(isNamed);
  };

function aDct(has: {
  engines?: readonly Engine[];
  dSources?: readonly DSource[];
  vdbs?: readonly Vdb[];
  snapshots?: readonly Snapshot[];
  groups?: readonly DatasetGroup[];
  environments?: readonly Environment[];
}) {
  return {
    searchEngines: search(has.engines ?? [engine]),
    searchDSources: search(has.dSources),
    searchVdbs: search(has.vdbs),
    searchSnapshots: search(has.snapshots),
    searchGroups: search(has.groups),
    searchEnvironments: search(has.environments),
  };
}

test("a dSource, by its engine's name or host name, with its latest snapshot", async () => {
  const dct = aDct({ dSources: [{ id: "d1", name: "orders:v2" }], snapshots: [{ id: "s1" }] });
  for (const reference of ["prod-engine:orders:v2", "10.0.0.5: orders:v2"]) {
    const resolved = await resolveDataset(dct, reference);
    ok(resolved.ok, reference);
    deepEqual([resolved.value.kind, resolved.value.dataset.id, resolved.value.latestSnapshot?.id], ["dSource", "d1", "s1"]);
  }
});

test("a VDB is found where no dSource has the name, a dSource wins otherwise", async () => {
  const vdbs = [{ id: "v1", name: "orders" }];
  const alone = await resolveDataset(aDct({ vdbs }), "prod-engine:orders");
  const both = await resolveDataset(aDct({ vdbs, dSources: [{ id: "d1", name: "orders" }] }), "prod-engine:orders");
  deepEqual([alone.ok && alone.value.dataset.id, both.ok && both.value.dataset.id], ["v1", "d1"]);
  equal(alone.ok && alone.value.latestSnapshot, undefined);
});

const twins = [
  { id: "d1", name: "orders", group_name: "A" },
  { id: "d2", name: "orders", group_name: "B" },
];
const refusals = [
  { name: "no colon", reference: "orders", reason: "BadReference", says: "does not have the form engine:dataset" },
  { name: "no engine before the colon", reference: ":orders", reason: "BadReference", says: "does not have the form" },
  { name: "both quotes", reference: `prod-engine:a'b"c`, reason: "BadReference", says: "both kinds of quotes" },
  { name: "a mistyped engine", reference: "prd:orders", reason: "EngineNotFound", says: "known engines: prod-engine" },
  { name: "a mistyped dSource", reference: "prod-engine:order", reason: "SourceNotFound", says: "its dSources: orders, orders" },
  { name: "two of the name", reference: "prod-engine:orders", reason: "SourceAmbiguous", says: "in the groups A, B" },
];
for (const { name, reference, reason, says } of refusals) {
  test(`a reference is refused with the choices: ${name}`, async () => {
    const answer = await resolveDataset(aDct({ dSources: twins }), reference);
    ok(!answer.ok);
    equal(answer.reason, reason);
    ok(answer.message.includes(says), answer.message);
  });
}

test("an environment left out is the only one, or refused with the choices", async () => {
  const [a, b] = [
    { id: "e1", name: "dev-env" },
    { id: "e2", name: "test-env" },
  ];
  const only = await resolveEnvironment(aDct({ environments: [a] }), engine, undefined);
  equal(only.ok && only.value.id, "e1");
  const several = await resolveEnvironment(aDct({ environments: [b, a] }), engine, undefined);
  deepEqual(several, {
    ok: false,
    reason: "EnvironmentAmbiguous",
    message: "engine prod-engine has several environments: name one of dev-env, test-env",
  });
  const wrong = await resolveEnvironment(aDct({ environments: [a] }), engine, "prod");
  equal(!wrong.ok && wrong.message, 'engine prod-engine has no environment "prod"; its environments: dev-env');
  const none = await resolveEnvironment(aDct({}), engine, undefined);
  equal(!none.ok && none.message, "engine prod-engine has no environment; its environments: none");
});

test("a group is found by name, or refused with the choices", async () => {
  const dct = aDct({ groups: [{ id: "g1", name: "Untitled" }] });
  const hit = await resolveGroup(dct, engine, "Untitled");
  equal(hit.ok && hit.value.id, "g1");
  const miss = await resolveGroup(dct, engine, "untitled");
  equal(!miss.ok && miss.message, 'engine prod-engine has no group "untitled"; its groups: Untitled');
});
