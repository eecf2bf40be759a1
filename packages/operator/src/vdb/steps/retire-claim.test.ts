import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "kube-runtime";
import { readConfig } from "../../config.ts";
import { claimName, ownerOf } from "../names.ts";
import { desiredClaim } from "../objects/claim.ts";
import { contentId, forever, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { isToRetire, retireClaim } from "./retire-claim.ts";

const config = readConfig([], {});
const plan = { kind: "make", labels: {}, annotations: {}, sizeBytes: undefined } as const;

/** A claim as the first manifest made it. */
function aClaim(metadata: object = {}): PersistentVolumeClaim {
  const wanted = desiredClaim(aVdb(), "c", plan, config.defaults);
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    spec: wanted.spec,
    metadata: { uid: "c", resourceVersion: "1", creationTimestamp: "", ...wanted.metadata, ...metadata },
  };
}

const corrected = { spec: { source: { type: "dct-source", reference: "delphix-engine:other" } } };
const withData = { status: { delphixID: "1-APPDATA_CONTAINER-2" } };
const deletionTimestamp = "2026-01-01T00:00:00Z";

const rows: { name: string; why: string; vdb?: object; claim?: PersistentVolumeClaim; want: boolean }[] = [
  { name: "as the manifest has it", why: "the provisioner is at work", want: false },
  { name: "of a manifest that was corrected", why: "it would bring the wrong data", vdb: corrected, want: true },
  {
    name: "of another manifest, with data",
    why: "a pod may have written to it: it is the user's data, whatever was changed how",
    vdb: { ...corrected, ...withData },
    want: false,
  },
  {
    name: "deleted by somebody before it held data",
    why: "a claim that ends is never bound: another one is made",
    claim: aClaim({ deletionTimestamp }),
    want: true,
  },
  {
    name: "deleted by somebody, with data",
    why: "the pod still has it, and the user is told",
    vdb: withData,
    claim: aClaim({ deletionTimestamp }),
    want: false,
  },
  {
    name: "somebody else's",
    why: "what another made is never deleted",
    vdb: corrected,
    claim: aClaim({ ownerReferences: ownerOf(aVdb()).map((one) => ({ ...one, uid: "another" })) }),
    want: false,
  },
];
for (const { name, why, vdb = {}, claim = aClaim(), want } of rows)
  test(`isToRetire: ${name}`, () => equal(isToRetire({ vdb: aVdb(vdb), world: { config } }, claim), want, why));

const steps: { name: string; why: string; spec?: object; metadata?: object; want: string; writes: readonly string[] }[] = [
  { name: "as the manifest has it", why: "on to the next step", want: "done", writes: [] },
  {
    name: "of a manifest that was corrected",
    why: "this very claim goes, and nothing else is done before it is gone",
    spec: corrected.spec,
    want: "waiting",
    writes: ["delete persistentvolumeclaims"],
  },
  { name: "that is going already", why: "it is deleted once", metadata: { deletionTimestamp }, want: "waiting", writes: [] },
];
for (const { name, why, spec = {}, metadata = {}, want, writes } of steps)
  test(`retireClaim: a claim ${name}`, async () => {
    const wanted = claimName(aVdb(), contentId);
    const claim = aClaim({ name: wanted, ...metadata });
    const bench = await stepBench({ spec, claim });
    await bench.client.create(persistentVolumeClaims, claim, forever);
    bench.writes.length = 0;
    const end = await retireClaim.run(bench.ctx, forever);
    equal(end.kind, want, why);
    deepEqual(
      bench.writes,
      writes.map((write) => `${write} ${wanted}`),
      why,
    );
  });
