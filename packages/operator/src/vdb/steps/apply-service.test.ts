import { deepEqual } from "node:assert/strict";
import { describe, test } from "node:test";
import { services } from "kube-runtime";
import { contentLabel } from "../names.ts";
import type { Gate } from "../objects/config-map.ts";
import { aService, contentId, forever, stepBench } from "../step-bench.ts";
import { applyService } from "./apply-service.ts";

type Was = Parameters<typeof aService>[0];

interface Row {
  readonly name: string;
  readonly why: string;
  readonly was?: Was;
  readonly wasOpened?: boolean;
  readonly gate: Gate;
  /** The content that it selects; `not written`; `no selector`. */
  readonly want: string;
}

const rows: readonly Row[] = [
  { name: "a first one, shut", why: "it has never led anywhere", gate: "shut", want: "no selector" },
  { name: "a first one, shut, seen again", why: "it is as wanted", was: "unopened", gate: "shut", want: "not written" },
  { name: "a first one that opens", why: "clients are led to the pod", was: "unopened", gate: "open", want: contentId },
  {
    name: "one that comes back for data that was opened",
    why: "EndpointSlices of the one before it may still be there",
    wasOpened: true,
    gate: "shut",
    want: "none",
  },
  { name: "an open one that shuts", why: "its EndpointSlices have to be emptied", was: "open", gate: "shut", want: "none" },
  {
    name: "one that has lost its selector, and shuts",
    why: "its EndpointSlices have stayed as they were",
    was: "unopened",
    wasOpened: true,
    gate: "shut",
    want: "none",
  },
  { name: "a shut one", why: "a selector is never left out later", was: "shut", gate: "shut", want: "not written" },
];

describe("applyService", () => {
  for (const { name, why, was, wasOpened = false, gate, want } of rows)
    test(name, async () => {
      const opened = wasOpened ? { openedTime: "2026-01-01T00:00:00Z" } : {};
      const service = was === undefined ? {} : { service: aService(was) };
      const status = { content: { id: contentId, madeBy: "create", ...opened } };
      const { ctx, client, writes } = await stepBench({ status, ...service });
      if (service.service !== undefined) await client.create(services, service.service, forever);
      writes.length = 0;
      await applyService(ctx, gate, forever);
      const { selector } = (await client.get(services, { namespace: "shop", name: "orders" }, forever)).spec;
      const selected = selector === undefined ? "no selector" : selector[contentLabel];
      deepEqual(writes.length === 0 ? "not written" : selected, want, why);
    });
});
