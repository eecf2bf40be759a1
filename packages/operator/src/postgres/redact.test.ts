import { equal } from "node:assert/strict";
import { test } from "node:test";
import { redactedEnd } from "./redact.ts";

const rows: {
  readonly name: string;
  readonly text: string;
  readonly want: string;
  readonly cutAt?: number;
  readonly length?: number;
}[] = [
  { name: "a secret anywhere", text: "it is hunter22, hunter22", want: "it is ***, ***" },
  { name: "none", text: "nothing", want: "nothing" },
  { name: "the end of one where the pod has cut", text: "unter22 and more", want: "*** and more", cutAt: 16 },
  { name: "the same words in output that is whole", text: "22 rows", want: "22 rows" },
  { name: "one that the cut to the length would halve", text: "abc hunter22 de", want: "*** de", length: 6 },
  { name: "half of a surrogate pair", text: "😀ab", want: "ab", length: 3 },
];
for (const { name, text, want, cutAt = 4096, length = 100 } of rows)
  test(`redactedEnd: ${name}`, () => equal(redactedEnd(text, { secrets: ["hunter22", ""], length, cutAt }), want));
