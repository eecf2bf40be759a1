/** The Kubernetes versions that charts and documentation name are those that tests run on. */
import { deepEqual, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const text = (file: string): string => readFileSync(join(import.meta.dirname, "..", file), "utf8");
const minorOf = (file: string, pattern: RegExp): string => pattern.exec(text(file))?.[1] ?? `none in ${file}`;
const built = (module: string): string => minorOf(`cluster/${module}/go.mod`, /\bk8s\.io\/kubernetes v(1\.\d+)\.\d+/u);

test("the oldest that the charts admit is the one whose API server make test-all runs", () => {
  const charts = ["delphix-operator", "delphix-storage"].map((chart) =>
    minorOf(`charts/${chart}/Chart.yaml`, /^kubeVersion: ">=(1\.\d+)\.0-0"/mu),
  );
  deepEqual(charts, [built("oldest"), built("oldest")]);
});

test("the documentation names both", () => {
  match(text("docs/operations.md"), new RegExp(`^- Kubernetes ${built("oldest")} or newer.* ${built("go/kube")}, `, "mu"));
});
