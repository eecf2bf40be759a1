import { deepEqual, rejects } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { jsonLines } from "./json-lines.ts";

async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted((a, b) => a - b);
  for (const [index, from] of at.entries()) if (at[index + 1] !== undefined) yield bytes.subarray(from, at[index + 1]);
}

test("wherever the stream is cut, in the middle of a character too, the same values come out", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.array(fc.nat(2000)), async (values, cuts) => {
      const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
      deepEqual(JSON.stringify(await Array.fromAsync(jsonLines(inPieces(bytes, cuts)))), JSON.stringify(values));
    }),
  );
});

test("half a line at the end is an error, not an event", async () => {
  await rejects(Array.fromAsync(jsonLines(inPieces(Buffer.from('{"a":1}\n{"b":'), []))), /middle of a line/u);
});

test("a line that is not JSON is an error that quotes nothing of it", async () => {
  const lines = Array.fromAsync(jsonLines(inPieces(Buffer.from('{"data":{"password":"hunter2"\n'), [])));
  await rejects(lines, (error: unknown) => error instanceof Error && !/hunter|password/u.test(String(error)));
});
