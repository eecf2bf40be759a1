import { equal } from "node:assert/strict";
import { test } from "node:test";
import { aVdb } from "../testing.ts";
import { resourcesTrouble } from "./judge-resources.ts";

const rows: { given: object; want: string | undefined }[] = [
  { given: {}, want: undefined },
  {
    given: { resources: { requests: { cpu: 0.25, memory: "32Mi" }, limits: { cpu: "250m", memory: 2 ** 30 } } },
    want: undefined,
  },
  { given: { resources: { requests: { cpu: 0, memory: 0 }, limits: { "ephemeral-storage": "1Mi" } } }, want: undefined },
  {
    given: { resources: { limits: { memory: "512m" } } },
    want: "spec.resources.limits.memory 512m must be at least 32Mi, for example 1Gi (m is for thousandths of a byte: did you mean 512Mi?)",
  },
  {
    given: { resources: { requests: { memory: 512 } } },
    want: "spec.resources.requests.memory 512 must be at least 32Mi, for example 1Gi (without a unit it is bytes: did you mean 512Mi or 512Gi?)",
  },
  {
    given: { resources: { limits: { memory: "16Mi" } } },
    want: "spec.resources.limits.memory 16Mi must be at least 32Mi, for example 1Gi",
  },
  {
    given: { storageSize: "10m" },
    want: "spec.storageSize 10m must be at least 1Mi, for example 1Gi (m is for thousandths of a byte: did you mean 10Mi?)",
  },
  {
    given: { resources: { limits: { cpu: "much" } } },
    want: "spec.resources.limits.cpu much is not a quantity: write for example 500m",
  },
  {
    given: { resources: { limits: { memory: "1GB" } } },
    want: "spec.resources.limits.memory 1GB is not a quantity: write for example 1Gi",
  },
  { given: { resources: { requests: { cpu: -1 } } }, want: "spec.resources.requests.cpu -1 must not be negative" },
  {
    given: { resources: { requests: { cpu: 2 }, limits: { cpu: "1500m" } } },
    want: "spec.resources.requests.cpu 2 exceeds spec.resources.limits.cpu 1500m: lower the request or raise the limit",
  },
  {
    given: { resources: { requests: { memory: "4Gi" }, limits: { memory: "4G" } } },
    want: "spec.resources.requests.memory 4Gi exceeds spec.resources.limits.memory 4G: lower the request or raise the limit",
  },
];
for (const { given, want } of rows)
  test(`resourcesTrouble: ${JSON.stringify(given)}`, () => equal(resourcesTrouble(aVdb({ spec: given }).spec), want));
