import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type TestContext, test } from "node:test";
import type { Api } from "../client/api.ts";
import { type ApiErrorKind, isApiError } from "../client/api-error.ts";
import type { Client, MetadataOnly, WatchEvent } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { type Resource } from "../objects/resource.ts";
import { compareResourceVersions } from "../objects/resource-version.ts";
import { type Widget, widgets } from "./widget.ts";

/** An API server that serves Widgets. */
export interface ConformanceTarget {
  readonly name: string;
  readonly api: () => Promise<Api>;
}

/**
 * One suite for every API server that the package works with: what a client and a cache rely on. The one in memory is worth
 * something because it passes the same as the real one.
 */
export function conformanceOf({ name, api }: ConformanceTarget): void {
  const law = (title: string, check: (given: Given) => Promise<void>): void => {
    void test(`${name}: ${title}`, async (t) => {
      const given = await prepare(await api(), t);
      await check(given);
    });
  };

  law("what is created can be read", async ({ client, key, signal }) => {
    const made = await client.create(widgets, { metadata: { ...key, labels: { a: "b" } }, spec: { size: 1 } }, signal);
    equal(made.metadata.generation, 1);
    equal(made.apiVersion, "testing.kube-runtime.dev/v1");
    ok(made.metadata.uid !== "" && made.metadata.creationTimestamp !== "");
    deepEqual(await client.get(widgets, key, signal), made);
  });

  law("a second create of the same name is refused", async ({ client, key, signal }) => {
    await client.create(widgets, { metadata: key, spec: {} }, signal);
    await refused("alreadyExists", client.create(widgets, { metadata: key, spec: {} }, signal));
  });

  law("what does not exist is not found, by any verb", async ({ client, key, signal }) => {
    await refused("notFound", client.get(widgets, key, signal));
    equal(await client.find(widgets, key, signal), undefined);
    await refused("notFound", client.patch(widgets, key, { spec: { size: 2 } }, signal));
    await refused("notFound", client.patchStatus(widgets, key, { status: { copies: 2 } }, signal));
    await refused("notFound", client.delete(widgets, key, signal));
  });

  law("an update with an old version is a conflict", async ({ client, key, signal }) => {
    const first = await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    const second = await client.update(widgets, { ...first, spec: { size: 2 } }, signal);
    equal(second.metadata.generation, 2);
    await refused("conflict", client.update(widgets, { ...first, spec: { size: 3 } }, signal));
    await refused(
      "conflict",
      client.patch(widgets, key, { metadata: { resourceVersion: first.metadata.resourceVersion }, spec: { size: 3 } }, signal),
    );
    equal((await client.get(widgets, key, signal)).spec.size, 2);
  });

  law("a merge patch adds, removes with null, and replaces lists whole", async ({ client, key, signal }) => {
    await client.create(widgets, { metadata: key, spec: { size: 1, color: "red", tags: ["a", "b"] } }, signal);
    const patched = await client.patch(widgets, key, { spec: { color: null, tags: ["c"] } }, signal);
    deepEqual(patched.spec, { size: 1, tags: ["c"] });
  });

  law("a write that changes nothing makes no version", async ({ client, key, signal }) => {
    const first = await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    const same = await client.patch(widgets, key, { spec: { size: 1 } }, signal);
    equal(same.metadata.resourceVersion, first.metadata.resourceVersion);
  });

  law("versions grow and can be compared", async ({ client, key, signal }) => {
    const first = await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    const second = await client.patch(widgets, key, { spec: { size: 2 } }, signal);
    ok(compareResourceVersions(second.metadata.resourceVersion, first.metadata.resourceVersion) > 0);
    const { resourceVersion } = await client.list(widgets, { namespace: key.namespace }, signal);
    ok(compareResourceVersions(resourceVersion, second.metadata.resourceVersion) >= 0);
  });

  law("status is written apart from the rest, and does not count as a generation", async ({ client, key, signal }) => {
    const withStatus = { metadata: key, spec: { size: 1 }, status: { copies: 9 } };
    const made = await client.create(widgets, withStatus, signal);
    equal(made.status, undefined);
    const written = await client.patchStatus(widgets, key, { status: { copies: 1 }, spec: { size: 7 } }, signal);
    deepEqual([written.status?.copies, written.spec.size, written.metadata.generation], [1, 1, 1]);
    const changed = await client.patch(widgets, key, { spec: { size: 2 }, status: { copies: 5 } }, signal);
    deepEqual([changed.status?.copies, changed.spec.size, changed.metadata.generation], [1, 2, 2]);
    const updated = await client.updateStatus(widgets, { ...changed, status: { copies: 3 } }, signal);
    equal(updated.status?.copies, 3);
    await refused("conflict", client.updateStatus(widgets, { ...changed, status: { copies: 4 } }, signal));
  });

  law("labels are no generation", async ({ client, key, signal }) => {
    await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    const labelled = await client.patch(widgets, key, { metadata: { labels: { x: "y" } } }, signal);
    deepEqual([labelled.metadata.generation, labelled.metadata.labels], [1, { x: "y" }]);
  });

  law("a delete without finalizers is at once", async ({ client, key, signal }) => {
    await client.create(widgets, { metadata: key, spec: {} }, signal);
    equal(await client.delete(widgets, key, signal), undefined);
    equal(await client.find(widgets, key, signal), undefined);
  });

  law("a delete waits for finalizers; removing the last one ends the object", async ({ client, key, signal }) => {
    await client.create(widgets, { metadata: { ...key, finalizers: ["testing.kube-runtime.dev/f"] }, spec: {} }, signal);
    const dying = await client.delete(widgets, key, signal);
    ok(dying?.metadata.deletionTimestamp !== undefined);
    equal(dying.metadata.generation, 2, "a deletion is a new generation");
    await client.patch(widgets, key, { metadata: { finalizers: [] } }, signal);
    equal(await client.find(widgets, key, signal), undefined);
  });

  law("delete preconditions hold", async ({ client, key, signal }) => {
    const made = await client.create(widgets, { metadata: key, spec: {} }, signal);
    await refused("conflict", client.delete(widgets, key, signal, { preconditions: { uid: randomUUID() } }));
    await client.delete(widgets, key, signal, { preconditions: { uid: made.metadata.uid } });
    const again = await client.create(widgets, { metadata: key, spec: {} }, signal);
    notEqual(again.metadata.uid, made.metadata.uid);
  });

  law("lists select by namespace, label and name", async ({ client, key, signal }) => {
    const { namespace } = key;
    const labels = [{ a: "1" }, { a: "2" }, { b: "1" }];
    for (const [at, label] of labels.entries())
      await client.create(widgets, { metadata: { namespace, name: `w${at}`, labels: label }, spec: {} }, signal);
    const names = async (selection: object): Promise<readonly string[]> =>
      (await client.list(widgets, { namespace, ...selection }, signal)).items.map(({ metadata }) => metadata.name).toSorted();
    deepEqual(await names({}), ["w0", "w1", "w2"]);
    deepEqual(await names({ labelSelector: "a" }), ["w0", "w1"]);
    deepEqual(await names({ labelSelector: "a=1" }), ["w0"]);
    deepEqual(await names({ labelSelector: "a!=1" }), ["w1", "w2"]);
    deepEqual(await names({ labelSelector: "a in (1,2),!b" }), ["w0", "w1"]);
    deepEqual(await names({ labelSelector: "a notin (1)" }), ["w1", "w2"]);
    deepEqual(await names({ fieldSelector: "metadata.name=w2" }), ["w2"]);
  });

  law("a watch goes on from a version and misses nothing", async ({ client, key, signal }) => {
    const first = await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    await client.patch(widgets, key, { spec: { size: 2 } }, signal);
    await client.patchStatus(widgets, key, { status: { copies: 1 } }, signal);
    await client.delete(widgets, key, signal);
    const events = await take(client, { namespace: key.namespace, resourceVersion: first.metadata.resourceVersion }, 3, signal);
    deepEqual(
      events.map(({ type, object }) => [type, object?.spec.size, object?.status?.copies]),
      [
        ["modified", 2, undefined],
        ["modified", 2, 1],
        ["deleted", 2, 1],
      ],
    );
    const versions = events.map(({ object }) => object?.metadata.resourceVersion ?? "");
    ok(compareResourceVersions(versions[2] ?? "", versions[1] ?? "") > 0, "the delete has a version of its own");
  });

  law("a watch can begin with all there is, and says when that was all", async ({ client, key, signal }) => {
    await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    const events = await take(client, { namespace: key.namespace, sendInitialEvents: true }, 2, signal);
    deepEqual(
      events.map(({ type }) => type),
      ["added", "bookmark"],
    );
    equal(events[1]?.initialEventsEnd, true);
  });

  law("an object that leaves a selector is told as deleted, and as added when it comes back", async ({ client, key, signal }) => {
    const made = await client.create(widgets, { metadata: { ...key, labels: { a: "1" } }, spec: {} }, signal);
    await client.patch(widgets, key, { metadata: { labels: { a: "2" } } }, signal);
    await client.patch(widgets, key, { metadata: { labels: { a: "1" } } }, signal);
    const from = { namespace: key.namespace, labelSelector: "a=1", resourceVersion: made.metadata.resourceVersion };
    const events = await take(client, from, 2, signal);
    deepEqual(
      events.map(({ type, object }) => [type, object?.metadata.uid]),
      [
        ["deleted", made.metadata.uid],
        ["added", made.metadata.uid],
      ],
    );
  });

  law("delete and create under one name are two objects in a watch", async ({ client, key, signal }) => {
    const first = await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    await client.delete(widgets, key, signal);
    const second = await client.create(widgets, { metadata: key, spec: { size: 1 } }, signal);
    const events = await take(client, { namespace: key.namespace, resourceVersion: first.metadata.resourceVersion }, 2, signal);
    deepEqual(
      events.map(({ type, object }) => [type, object?.metadata.uid]),
      [
        ["deleted", first.metadata.uid],
        ["added", second.metadata.uid],
      ],
    );
  });

  law("metadata alone can be read and watched", async ({ metadataClient, client, key, signal }) => {
    await client.create(widgets, { metadata: { ...key, labels: { a: "1" } }, spec: { size: 1 } }, signal);
    const only: Resource<MetadataOnly> = { ...widgets, decode: (object) => object };
    const read = await metadataClient.get(only, key, signal);
    deepEqual(
      [Object.keys(read).toSorted(), read.kind, read.metadata.labels],
      [["apiVersion", "kind", "metadata"], "Widget", { a: "1" }],
    );
    const listed = await metadataClient.list(only, { namespace: key.namespace }, signal);
    deepEqual(
      listed.items.map((item) => Object.keys(item).toSorted()),
      [["apiVersion", "kind", "metadata"]],
    );
  });
}

interface Given {
  readonly client: Client;
  readonly metadataClient: Client;
  /** In a namespace that no other test uses. Custom resources need no Namespace object in memory; the real one gets it made. */
  readonly key: { readonly namespace: string; readonly name: string };
  readonly signal: AbortSignal;
}

async function prepare(api: Api, t: TestContext): Promise<Given> {
  const namespace = `t-${randomUUID()}`;
  const client = createClient(api, { fieldManager: "conformance" });
  const namespaces = { group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false } as const;
  await client.create(namespaces, { metadata: { name: namespace } }, t.signal);
  const metadataClient = createClient(api, { fieldManager: "conformance", metadataOnly: true });
  return { client, metadataClient, key: { namespace, name: "widget" }, signal: t.signal };
}

const refused = (kind: ApiErrorKind, attempt: Promise<unknown>): Promise<void> =>
  rejects(attempt, (error: unknown) => isApiError(error, kind));

interface Taken {
  readonly type: WatchEvent<Widget>["type"];
  readonly object?: Widget;
  readonly initialEventsEnd?: boolean;
}

/** The first events of a watch; bookmarks count only where the list of all ends. */
async function take(
  client: Client,
  options: Parameters<Client["watch"]>[1],
  count: number,
  signal: AbortSignal,
): Promise<readonly Taken[]> {
  const events: Taken[] = [];
  for await (const event of client.watch(widgets, options, signal)) {
    if (event.type !== "bookmark" || event.initialEventsEnd) events.push(event);
    if (events.length === count) break;
  }
  return events;
}
