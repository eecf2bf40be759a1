import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMap } from "kube-runtime";
import { tlsResult } from "../../postgres/tls.ts";
import { Unreachable } from "../pod/ask-pod.ts";
import { aPod, forever, type Given, meta, stepBench } from "../step-bench.ts";
import { serveTls } from "./serve-tls.ts";

const spec = { tls: { secretName: "orders-tls", withoutTls: "Refuse" } };
const pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
const inForce = { stdout: `inForce \n${pem}` };
const known = {
  type: "CertificateCurrent",
  status: "True",
  reason: "InForce",
  message: "as before",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};

const silent = (): never => {
  throw new Unreachable("no answer within 40 s");
};

async function run(given: Given) {
  const bench = await stepBench({ spec, exec: () => inForce, ...given });
  const configMap: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: meta("orders-postgres-config") };
  const password = { kind: "known", value: "a-good-password" } as const;
  const ctx = { ...bench.ctx, pod: aPod(), configMap, settings: "", settingsCorrected: false, password };
  const look = async () => {
    const { kind, ...rest } = await serveTls.run(ctx, forever);
    return `${kind} ${"reason" in rest ? (rest.reason ?? "") : ""}`.trim();
  };
  return { ...bench, look };
}

test("serveTls: without spec.tls the pod is asked nothing, and there is no condition", async () => {
  const { look, writes, conditions } = await run({ spec: {} });
  deepEqual([await look(), writes, conditions], ["done", [], []]);
});

test("serveTls: the pod is asked again after a while only, and in another container at once", async () => {
  const { look, writes, clock, ctx } = await run({ status: { conditions: [known] } });
  for (const _ of "123") equal(await look(), "done");
  deepEqual(writes, ["exec"]);
  await clock.advance(11_000);
  await look();
  equal(writes.length, 2);
  ctx.memory.certificate = { containerId: "containerd://another", askedAt: clock.now() };
  await look();
  equal(writes.length, 3);
});

test("serveTls: a database whose server has no certificate waits for one behind the shut gate", async () => {
  const { look, conditions, ctx } = await run({ exec: () => ({ stdout: "missing tls.crt tls.key\n" }) });
  equal(await look(), "terminal CertificateMissing");
  equal(conditions[0]?.reason, "CertificateMissing");
  equal(ctx.memory.certificate, undefined, "it looks again at once when something happens");
});

test("serveTls: one that is refused while an earlier one is in force is told once, with an event, and changes nothing", async () => {
  const given = { stdout: `refused key values mismatch\nformer\n${pem}` };
  const { look, conditions, events } = await run({ status: { conditions: [known] }, exec: () => given });
  equal(await look(), "done");
  deepEqual([conditions[0]?.status, conditions[0]?.reason, events], ["False", "CertificateRefused", ["CertificateRefused"]]);
});

test("serveTls: a pod that does not answer is asked again, and what was known stays", async () => {
  const { look, conditions } = await run({ status: { conditions: [known] }, exec: silent });
  equal(await look(), "after Unreachable");
  equal(conditions[0]?.message, "as before");
});

test("tlsResult: what is not the script's answer is a failure, never a certificate in force", () => {
  const kinds = [
    { exitCode: 0, stdout: "", stderr: "" },
    { exitCode: 1, stdout: inForce.stdout, stderr: "sh: no such file" },
    { exitCode: 0, stdout: "inForce \n", stderr: "" },
    { exitCode: 0, stdout: inForce.stdout, stderr: "a warning" },
  ].map((result) => tlsResult(result).kind);
  deepEqual(kinds, ["failed", "failed", "failed", "inForce"]);
});
