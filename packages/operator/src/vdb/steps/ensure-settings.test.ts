import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConfigMap, configMaps } from "kube-runtime";
import { desiredConfigMap, type Gate, settingsKey } from "../objects/config-map.ts";
import { contentId, forever, meta, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { ensureSettings } from "./ensure-settings.ts";

function aConfigMap(
  settings: string,
  more: object = {},
  { id = contentId, gate = "shut" }: { readonly id?: string; readonly gate?: Gate } = {},
): ConfigMap {
  const { metadata, data = {} } = desiredConfigMap(aVdb(), { contentId: id, gate, settings });
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { ...meta("c"), ...metadata, ...more }, data };
}
const key = { namespace: "shop", name: "orders-postgres-config" };
const apply = `apply configmaps ${key.name}`;
const failed = (type: string) => (reason: string) => [
  { type, status: "False", reason, message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
];
const deployed = failed("Deployed");
const configured = failed("Configured");

interface Row {
  readonly name: string;
  readonly why: string;
  /** What the API server has; the caches too, unless it is somebody else's. */
  readonly present?: ConfigMap;
  readonly isOurs?: boolean;
  readonly conditions?: readonly object[];
  /** What is known of the data; that of a new one unless given. */
  readonly content?: object;
  readonly want: string;
  readonly writes: readonly string[];
  /** The settings that the next start gets. */
  readonly stored: string;
  readonly corrected?: boolean;
}

const rows: readonly Row[] = [
  { name: "nothing yet", why: "the phase is seen before", want: "done", writes: ["save", apply], stored: "new" },
  { name: "as wanted", why: "nothing is written", present: aConfigMap("new"), want: "done", writes: [], stored: "new" },
  {
    name: "new settings for a server that runs",
    why: "those that it has started with stay stored until it has taken the new ones",
    present: aConfigMap("old"),
    want: "done",
    writes: [],
    stored: "old",
  },
  {
    name: "new settings for a pod that does not start with the old ones",
    why: "they may mend it",
    present: aConfigMap("old"),
    conditions: deployed("SettingRefused"),
    want: "done",
    writes: [apply],
    stored: "new",
    corrected: true,
  },
  {
    name: "new settings for a pod that fails for another reason",
    why: "they mend nothing there",
    present: aConfigMap("old"),
    conditions: deployed("NotADatabase"),
    want: "done",
    writes: [],
    stored: "old",
  },
  {
    name: "pg_cron, stored for data that was refreshed since",
    why: "the source's jobs would run before they are switched off",
    present: aConfigMap("work_mem = '8MB'\nshared_preload_libraries = 'auto_explain, pg_cron'\n"),
    want: "done",
    writes: [apply],
    stored: "work_mem = '8MB'\nshared_preload_libraries = 'auto_explain'\n",
    corrected: true,
  },
  {
    name: "pg_cron, stored for data that is clean",
    why: "its jobs are the user's own",
    present: aConfigMap("shared_preload_libraries = 'pg_cron'\n"),
    content: { cleanedTime: "2026-01-01T00:00:00Z" },
    want: "done",
    writes: [],
    stored: "shared_preload_libraries = 'pg_cron'\n",
  },
  {
    name: "a gate that is open for other data",
    why: "the start script admits nobody by it: it is written when this data is opened",
    present: aConfigMap("new", {}, { id: "c0", gate: "open" }),
    want: "done",
    writes: [],
    stored: "new",
  },
  {
    name: "a gate that is open for this data, which is shut",
    why: "a pod would start by it",
    present: aConfigMap("new", {}, { gate: "open" }),
    want: "done",
    writes: [apply],
    stored: "new",
  },
  {
    name: "a namesake of somebody else's",
    why: "it is not taken over, and told without a write at each look",
    present: aConfigMap("theirs", { ownerReferences: [] }),
    isOurs: false,
    conditions: configured("NameTaken"),
    want: "terminal NameTaken",
    writes: [],
    stored: "theirs",
  },
];

describe("ensureSettings", () => {
  for (const {
    name,
    why,
    present,
    isOurs = true,
    conditions = [],
    content = {},
    want,
    writes,
    stored,
    corrected = false,
  } of rows)
    test(name, async () => {
      const cached = present !== undefined && isOurs ? { configMap: present } : {};
      const bench = await stepBench({
        ...cached,
        status: { conditions, content: { id: contentId, madeBy: "create", ...content } },
      });
      if (present !== undefined) await bench.client.create(configMaps, present, forever);
      bench.writes.length = 0;
      const password = { kind: "known", value: "a-good-password" } as const;
      const end = await ensureSettings.run({ ...bench.ctx, settings: "new", password }, forever);
      equal([end.kind, ...(end.kind === "done" ? [] : [end.reason])].join(" "), want, why);
      deepEqual(bench.writes, writes, why);
      equal((await bench.client.get(configMaps, key, forever)).data?.[settingsKey], stored, why);
      equal(end.kind === "done" && end.found.settingsCorrected, corrected, why);
    });
});

test("a first ConfigMap does not wait for the phase that tells of it, and no pod is made before both", async () => {
  const { ctx, writes } = await stepBench();
  const saveStatus = async (): Promise<void> => {
    for (let looks = 0; looks < 1000 && !writes.includes(apply); looks += 1) await new Promise(setImmediate);
    writes.push("saved");
  };
  const password = { kind: "known", value: "a-good-password" } as const;
  await ensureSettings.run({ ...ctx, run: { ...ctx.run, saveStatus }, settings: "new", password }, forever);
  deepEqual(writes, [apply, "saved"]);
});
