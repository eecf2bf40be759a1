import { deepEqual } from "node:assert/strict";
import { describe, test } from "node:test";
import { tablespacesOf } from "./backup-head.ts";

const [field, row] = ["\u001f", "\u001e"];
const head = (...rows: readonly string[]): string => `0/2000028${field}1\n${rows.join(row)}`;
const data = `${field}${field}\nn16384.tar\0`;

describe("the head of a base backup", () => {
  test("names the tablespaces before the data folder", () => {
    deepEqual(tablespacesOf(head(data)), []);
    deepEqual(tablespacesOf(head(`16390${field}/b${field}12`, `16384${field}/a${field}7`, data)), ["16384", "16390"]);
  });
  test("a location may look like anything", () => {
    deepEqual(tablespacesOf(head(`16384${field}/a|b\n16385|c${field}`, data)), ["16384"]);
  });
  test("is waited for until the data folder's row has come", () => {
    const whole = head(`16384${field}/a${field}7`, data);
    for (let length = 0; length < whole.indexOf(data); length += 1) deepEqual(tablespacesOf(whole.slice(0, length)), undefined);
  });
});
