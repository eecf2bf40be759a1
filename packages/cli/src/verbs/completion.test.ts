import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { createProgram } from "../cli.ts";
import { testWorld } from "../testing/world.ts";
import type { ConnectionFlags } from "../world.ts";
import { completionsOf } from "./completion.ts";

const world = testWorld(() => Promise.reject(new Error("no cluster")));
const program = createProgram(world, () => undefined);
const names = async ({ namespace = "shop" }: ConnectionFlags): Promise<readonly string[]> => [
  `orders-of-${namespace}`,
  "invoices",
];

for (const { words, want } of [
  { words: ["re"], want: ["refresh", "rewind", "report"] },
  { words: ["refresh", ""], want: ["orders-of-shop", "invoices"] },
  { words: ["-n", "dev", "refresh", "o"], want: ["orders-of-dev"] },
  { words: ["refresh", "orders", ""], want: [] },
  { words: ["plan", "re"], want: ["refresh", "rewind"] },
  { words: ["plan", "refresh", "o"], want: ["orders-of-shop"] },
  { words: ["plan", "refresh", "orders", ""], want: [] },
  { words: ["extend", "orders", ""], want: [] },
  { words: ["refresh", "-n", "dev", "o"], want: ["orders-of-dev"] },
  { words: ["-n", "list", "re"], want: ["refresh", "rewind", "report"] },
  { words: ["refresh", "--no-wait", ""], want: ["orders-of-shop", "invoices"] },
  { words: ["list", ""], want: [] },
  { words: ["list", "-o", ""], want: ["json", "yaml", "name", "wide"] },
  { words: ["refresh", "orders", "--dry-run", "c"], want: ["client"] },
  { words: ["refresh", "orders", "--vol"], want: ["--volume-snapshot"] },
  { words: ["refresh", "orders", "--cont"], want: ["--context"] },
  { words: ["wait", "vdbref"], want: ["vdbrefresh/"] },
])
  test(`completion of: ${words.join(" ")}`, async () => deepEqual(await completionsOf(program, words, names), want));
