import { equal } from "node:assert/strict";
import { test } from "node:test";
import { holds } from "./holds.ts";

const present = {
  metadata: { labels: { a: "1", foreign: "x" } },
  spec: { type: "ClusterIP", clusterIP: "10.0.0.1", ports: [{ port: 1 }, { port: 5432, nodePort: 3 }] },
};

const rows: { name: string; why: string; wanted: object; want: boolean }[] = [
  { name: "what is there", why: "defaults are the API server's", wanted: { spec: { type: "ClusterIP" } }, want: true },
  { name: "a foreign label beside it", why: "it is left alone", wanted: { metadata: { labels: { a: "1" } } }, want: true },
  { name: "another value", why: "somebody has edited it", wanted: { metadata: { labels: { a: "2" } } }, want: false },
  { name: "a missing field", why: "somebody has removed it", wanted: { metadata: { annotations: { a: "1" } } }, want: false },
  { name: "an entry of a list", why: "others may have theirs", wanted: { spec: { ports: [{ port: 5432 }] } }, want: true },
  { name: "another entry", why: "somebody has edited it", wanted: { spec: { ports: [{ port: 5433 }] } }, want: false },
  { name: "an undefined field", why: "it is in no JSON", wanted: { spec: { selector: undefined } }, want: true },
  { name: "a list for a text", why: "never sent so", wanted: { spec: { type: ["ClusterIP"] } }, want: false },
];

for (const { name, why, wanted, want } of rows) test(`holds: ${name}`, () => equal(holds(present, wanted), want, why));
