import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConfigMap, configMaps, type ExecResult, services } from "kube-runtime";
import { hbaFile } from "../../postgres/hba.ts";
import { desiredConfigMap, type Gate, hbaKey } from "../objects/config-map.ts";
import { desiredService } from "../objects/service.ts";
import { aPod, aService, contentId, forever, type Given, healthy, meta, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { openGate } from "./open-gate.ts";

const key = { namespace: "shop", name: "orders" };
const hooks = [{ stage: "post-create", name: "mask", type: "sql", script: "SELECT 1" }];
const opened = { content: { id: contentId, madeBy: "create", openedTime: "2026-01-01T00:00:00Z" } };

function aConfigMap(gate: Gate): ConfigMap {
  const { metadata, data = {} } = desiredConfigMap(aVdb(), { contentId, gate, settings: "" });
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { ...meta("c"), ...metadata }, data };
}

async function bench({ exec = () => healthy(), ...given }: Given = {}, gate: Gate = "shut") {
  const [service, configMap] = [aService(gate), aConfigMap(gate)];
  const made = await stepBench({ ...given, exec, service, configMap });
  await made.client.create(services, service, forever);
  await made.client.create(configMaps, configMap, forever);
  made.writes.length = 0;
  const password = { kind: "known", value: "a-good-password" } as const;
  return { ...made, ctx: { ...made.ctx, pod: aPod(), configMap, settings: "", settingsCorrected: false, password } };
}

interface Row {
  readonly name: string;
  readonly why: string;
  readonly given?: Given;
  readonly gate?: Gate;
  readonly want: string;
  readonly writes: readonly string[];
}
const refusing = (answer: Partial<ExecResult>): Given => ({ exec: () => answer });
const [record, ask, lead, store] = ["save", "exec", "apply services orders", "apply configmaps orders-postgres-config"];

const rows: readonly Row[] = [
  {
    name: "a database that is ready for clients",
    why: "recorded first, and nobody is led to a server that does not let them in; clients do not wait for what a later pod starts by",
    want: "done",
    writes: [record, ask, lead, store],
  },
  {
    name: "an open one",
    why: "a run that finds all as it should be writes nothing",
    given: { status: opened },
    gate: "open",
    want: "done",
    writes: [ask],
  },
  {
    name: "recorded by an operator that died then",
    why: "the rest is done, and nothing twice",
    given: { status: opened },
    want: "done",
    writes: [ask, lead, store],
  },
  {
    name: "the server has not read its files yet",
    why: "nobody is led to a server that refuses them",
    given: refusing(healthy({ loaded: false })),
    want: "after Preparing",
    writes: [record, ask],
  },
  {
    name: "the server cannot be asked",
    why: "nobody is led to it",
    given: refusing({ exitCode: 12, stderr: "FATAL: the database system is starting up" }),
    want: "after Unreachable",
    writes: [record, ask],
  },
  {
    name: "hooks that have left all in order",
    why: "the server is asked before the gate is recorded open",
    given: { spec: { hooks } },
    want: "done",
    writes: [ask, record, ask, lead, store],
  },
  {
    name: "hooks that have dropped the role",
    why: "nobody is let in, and the gate is not recorded open",
    given: { spec: { hooks }, ...refusing(healthy({ roleExists: false })) },
    want: "terminal RoleNotFound",
    writes: [ask],
  },
];

describe("openGate", () => {
  for (const { name, why, given = {}, gate, want, writes } of rows)
    test(name, async () => {
      const { ctx, writes: written } = await bench(given, gate);
      const end = await openGate.run(ctx, forever);
      equal([end.kind, ...(end.kind === "done" ? [] : [end.reason])].join(" "), want, why);
      deepEqual(written, writes, why);
    });

  test("what it leaves: the record, pg_hba.conf, a Service that leads to this data's pod, and where clients find it", async () => {
    const { ctx, client } = await bench({ status: { dataTimestamp: "2026-01-01T00:00:00Z" } });
    const end = await openGate.run(ctx, forever);
    deepEqual(ctx.run.status.content, {
      id: contentId,
      madeBy: "create",
      dataTimestamp: "2026-01-01T00:00:00Z",
      openedTime: "2026-01-01T00:00:00Z",
    });
    equal(ctx.run.status.endpoint, "orders.shop.svc:5432");
    match(end.message ?? "", /clients can connect to orders\.shop\.svc:5432, .*2026-01-01T00:00:00Z/u);
    const service = await client.get(services, key, forever);
    deepEqual(service.spec.selector, desiredService(aVdb(), contentId, "open").spec.selector);
    const map = await client.get(configMaps, { ...key, name: "orders-postgres-config" }, forever);
    equal(map.data?.[hbaKey], hbaFile(contentId, "open"));
  });

  test("a changed password is seen by time: its Secret is not watched", async () => {
    const { ctx } = await bench();
    const end = await openGate.run(ctx, forever);
    deepEqual(end.kind === "done" ? end.again : end, { recheckSeconds: 30 });
  });
});
