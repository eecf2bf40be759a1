import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { valuesPage } from "./values-page.ts";

const values = `# About the chart.

image: { repository: r, tag: "" } # empty: the appVersion
replicas: 2

# Where DCT is: a|b.
# Second line.
credentials:
  # Its name.
  secretName: creds
  create: true # made empty
  deep:
    list: []
`;

test("each value of a chart has its path, its default and what its comments say", () => {
  const rows = valuesPage({ one: values })
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  deepEqual(rows, [
    '| `image` | `{"repository":"r","tag":""}` | empty: the appVersion |',
    "| `replicas` | `2` |  |",
    "| `credentials` |  | Where DCT is: a\\|b. Second line. |",
    "| `credentials.secretName` | `creds` | Its name. |",
    "| `credentials.create` | `true` | made empty |",
    "| `credentials.deep.list` | `[]` |  |",
  ]);
});
