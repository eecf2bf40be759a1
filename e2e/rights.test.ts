/**
 * The rights that the charts give, held against the API server's audit log of the e2e run before: nothing that was needed was refused,
 * and every verb was used or has a reason here. Full tier: it is worth something behind the whole run only.
 */
import { deepEqual, ok } from "node:assert/strict";
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { before, describe, test } from "node:test";
import { items, operatorNamespace, parseJson, run, storageNamespace, testCluster } from "@vdb/cluster";
import { auditedRights, grantedRights, needlessRights, type Right, rightText } from "./rights/rights.ts";

const kubectl = await testCluster();
const state = await run(join(import.meta.dirname, "../cluster/paths"), ["state"]);
const log = join(state, "var/log/audit.log");
const namespaces = [operatorNamespace, storageNamespace, "snapshot-controller"];

/** Rights that no e2e test needs, or whose use the log does not show as that verb. */
const reasons: Readonly<Record<string, string>> = {};

describe("the rights of the charts", { skip: existsSync(log) ? false : "the cluster was started without AUDIT=1" }, () => {
  const found: { granted: readonly Right[]; used: readonly Right[]; refused: readonly string[] } = {
    granted: [],
    used: [],
    refused: [],
  };
  before(async () => {
    const objects = await kubectl.run(["get", "roles,clusterroles,rolebindings,clusterrolebindings", "-A", "-o", "json"]);
    const lines: string[] = [];
    for await (const line of createInterface({ input: createReadStream(log) })) lines.push(line);
    Object.assign(found, {
      granted: grantedRights(items(parseJson(objects), "items"), namespaces),
      ...auditedRights(lines, namespaces),
    });
  });

  test("nothing that a part asked for was refused", () => {
    ok(found.used.length > 50, `${found.used.length} rights used`);
    deepEqual(found.refused, []);
  });

  test("every right that is given is used, or has a reason", () => {
    deepEqual(needlessRights(found.granted, found.used, reasons), []);
  });

  test("no reason is left over", () => {
    const granted = new Set(found.granted.map(rightText));
    deepEqual(
      Object.keys(reasons).filter((right) => !granted.has(right)),
      [],
    );
  });
});
