/** Tasks of an operator on a real API server: what it accepts and keeps. What the pod runs is played. */
import { deepEqual, equal, match } from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type ActionKind, type ActionObject, brokenLaws, isFinished, postgresTask, resourceOf, task } from "@vdb/api";
import { type Client, customResourceDefinitions, defineResource, type KubeObject } from "kube-runtime";
import { applyVdb, forever, healthy, isReady, newNamespace, untilVdb } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const referenceGrants = defineResource<KubeObject & { readonly spec: object }>({
  group: "gateway.networking.k8s.io",
  version: "v1beta1",
  kind: "ReferenceGrant",
  plural: "referencegrants",
  namespaced: true,
});

async function applyAction(client: Client, kind: ActionKind, namespace: string, name: string, spec: object): Promise<void> {
  const manifest = { metadata: { namespace, name }, spec };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
  await client.apply(resourceOf<ActionKind>(kind), manifest as never, { fieldManager: "user", force: true }, forever);
}

async function untilAction(
  client: Client,
  kind: ActionKind,
  namespace: string,
  name: string,
  wanted: (action: ActionObject) => boolean = isFinished,
): Promise<ActionObject> {
  let earlier: ActionObject | undefined;
  return await until(`${kind.kind} ${name}`, async () => {
    const action = await client.get(resourceOf<ActionKind>(kind), { namespace, name }, forever);
    const broken = brokenLaws(action, earlier, { isNext: false });
    if (broken.length > 0) throw new Error(`laws broken: ${broken.join("; ")}`);
    earlier = action;
    if (wanted(action)) return action;
    throw new Error(JSON.stringify(action.status, undefined, 1));
  });
}

/** One after the other. */
const kindOf = (at: number): ActionKind => (at % 2 === 0 ? postgresTask : task);
const reasonOf = ({ status }: ActionObject): string =>
  status.conditions?.find(({ type }) => type === "Reconciling")?.reason ?? "";

describe("tasks", { timeout: 300_000 }, () => {
  const stage = setStage("shop");
  const texts: string[] = [];

  before(async () => {
    const { client } = stage;
    await stage.place("shop");
    await applyVdb(client, "shop", "orders");
    await untilVdb(client, "shop", "orders", isReady);
  });

  const answering = (stdout: string): void => {
    stage.operator.answer = ({ command, stdin = "" }) => {
      if (command[3] !== "hook") return healthy();
      texts.push(`${command[6]} ${command[7]} ${stdin}`);
      return { stdout };
    };
  };

  test("SQL runs in its database, and its result stands in the status", async () => {
    const { client } = stage;
    answering("exit 0\n one \n-----\n   1\n(1 row)\n\n");
    const spec = { targetRef: { name: "orders" }, content: "SELECT 1 AS one", database: "appdb" };
    await applyAction(client, postgresTask, "shop", "one", spec);
    const { status } = await untilAction(client, postgresTask, "shop", "one");
    deepEqual("output" in status && [status.phase, status.exitCode, status.attempts, status.output], [
      "Completed",
      0,
      1,
      " one \n-----\n   1\n(1 row)",
    ]);
    deepEqual(texts, ["sql appdb SELECT 1 AS one"]);
    deepEqual(
      status.steps?.map(({ name, phase }) => [name, phase]),
      [
        ["run", "Running"],
        ["judge", "Finalizing"],
      ],
    );
    const vdb = await untilVdb(client, "shop", "orders", isReady);
    equal(vdb.status.activeAction, undefined);
  });

  test("a Task runs a command; one that fails says how it ended", async () => {
    const { client } = stage;
    answering("exit 7\nno such file");
    await applyAction(client, task, "shop", "two", { targetRef: { name: "orders" }, content: "cat /nowhere" });
    const { status } = await untilAction(client, task, "shop", "two");
    deepEqual("exitCode" in status && [status.phase, status.exitCode], ["Error", 7]);
    match(status.lastError ?? "", /^the command failed with exit code 7; the end of its output: no such file$/u);
  });

  test("what one second creates runs in the order of its creation, whatever its kind", async () => {
    const { client } = stage;
    texts.length = 0;
    answering("exit 0\n\n");
    const names = Array.from({ length: 9 }, (_, at) => `turn-${at}`);
    for (const [at, name] of names.entries())
      await applyAction(client, kindOf(at), "shop", name, {
        targetRef: { name: "orders" },
        content: at % 2 === 0 ? `SELECT '${name}'` : `echo ${name}`,
      });
    for (const [at, name] of names.entries()) await untilAction(client, kindOf(at), "shop", name);
    deepEqual(
      texts.flatMap((text) => /turn-\d/u.exec(text) ?? []),
      names,
    );
  });

  test("large output of any characters never breaks the status", async () => {
    const { client } = stage;
    answering(`exit 0\n${"\\xFF\t😀\u2028".repeat(20_000)}`);
    await applyAction(client, task, "shop", "three", { targetRef: { name: "orders" }, content: "true" });
    const { status } = await untilAction(client, task, "shop", "three");
    equal(status.phase, "Completed");
    equal("output" in status && (status.output ?? "").length > 16_000, true);
  });

  test("a database of another namespace is used only with a grant, whose manifest the refusal prints", async () => {
    const { client } = stage;
    answering("exit 0\nhello");
    await newNamespace(client, "tools");
    const targetRef = { name: "orders", namespace: "shop" };
    await applyAction(client, postgresTask, "tools", "far", { targetRef, content: "SELECT 1" });
    const refused = await untilAction(
      client,
      postgresTask,
      "tools",
      "far",
      (action) => reasonOf(action) === "ReferenceNotGranted",
    );
    match(
      refused.status.conditions?.[0]?.message ?? "",
      /kind: ReferenceGrant.*from: \[\{group: "actions\.delphix\.com", kind: PostgresTask, namespace: "tools"\}\]/u,
    );
    await makeGrantKind(client);
    const spec = {
      from: [{ group: "actions.delphix.com", kind: "PostgresTask", namespace: "tools" }],
      to: [{ group: "core.delphix.com", kind: "PostgresVDB", name: "orders" }],
    };
    await until("grants are served", async () => await client.list(referenceGrants, {}, forever));
    await client.create(referenceGrants, { metadata: { namespace: "shop", name: "tools" }, spec }, forever);
    equal((await untilAction(client, postgresTask, "tools", "far")).status.phase, "Completed");
  });
});

/** The kind as the Gateway API has it, so far as it is read. */
async function makeGrantKind(client: Client): Promise<void> {
  const { group, plural } = referenceGrants;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const manifest = {
    metadata: {
      name: `${plural}.${group}`,
      annotations: { "api-approved.kubernetes.io": "unapproved, for tests" },
    },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, singular: "referencegrant", kind: "ReferenceGrant", listKind: "ReferenceGrantList" },
      versions: [{ name: "v1beta1", served: true, storage: true, schema }],
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a manifest as kubectl sends it
  await client.create(customResourceDefinitions, manifest as never, forever);
}
