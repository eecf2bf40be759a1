import { deepEqual, equal } from "node:assert/strict";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startApiServer, type TestApiServer } from "kube-runtime/testing";
import { parse, parseAllDocuments } from "yaml";
import { jsonSchema } from "../src/generate/json-schema.ts";
import { crd, kinds } from "../src/index.ts";
import { underlined } from "./generated/editor.ts";
import { type Api, applyCrd, applyPatch, installKinds, kindNamed, openApi, pathOf } from "./testing/api.ts";
import { at, isObject, type Json, listAt, textAt } from "./testing/json.ts";
import { kubectlFor, run } from "./testing/kubectl.ts";

const repository = join(import.meta.dirname, "../../..");
const namespace = "pg-operator";
const samples = globSync("samples/*.yaml", { cwd: repository }).toSorted();

let server: TestApiServer;
let api: Api;
before(async () => {
  server = await startApiServer();
  api = await openApi(server);
  await installKinds(api, namespace);
});
after(async () => {
  api[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

test("every CRD of the chart, as Helm renders it, is the declared one, and is applied without a warning", async () => {
  const rendered = await renderChartCrds();
  deepEqual(
    rendered.map((definition) => textAt(definition, "metadata", "name")).toSorted(),
    kinds.map(({ plural, group }) => `${plural}.${group}`).toSorted(),
  );
  for (const definition of rendered) {
    const kind = kindNamed(at(definition, "spec", "names", "kind"));
    deepEqual(definition, crd(kind, { "helm.sh/resource-policy": "keep" }));
    const { status, warnings, body } = await applyCrd(api, definition);
    deepEqual({ status, warnings, message: textAt(body, "message") }, { status: 200, warnings: [], message: "" }, kind.kind);
  }
});

test("no CRD is found wanting after it was established: its schema is structural, its names are accepted", async () => {
  for (const { plural, group } of kinds) {
    const { body } = await api.send("GET", `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`);
    const conditions = listAt(body, "status", "conditions").map(
      (condition) => `${textAt(condition, "type")} ${textAt(condition, "status")}`,
    );
    deepEqual(conditions.toSorted(), ["Established True", "NamesAccepted True"], plural);
  }
});

for (const file of samples) {
  test(`kubectl apply -f ${file}, and nothing that it sets is lost`, async () => {
    const text = readFileSync(join(repository, file), "utf8");
    const { code, stdout, stderr } = await kubectlFor(server.kubeconfig)(["apply", "--warnings-as-errors", "-f", "-"], text);
    deepEqual({ code, stderr }, { code: 0, stderr: "" }, stdout);
    const sent: unknown = parse(text);
    if (textAt(sent, "kind") === "Secret") return;
    const { body } = await api.send(
      "GET",
      `${pathOf(kindNamed(at(sent, "kind")), namespace)}/${textAt(sent, "metadata", "name")}`,
    );
    deepEqual(lost("spec", at(sent, "spec"), at(body, "spec")), []);
    deepEqual(body["status"], { observedGeneration: -1, phase: "Pending" }, "Pending before anybody looked");
    deepEqual(underlined(jsonSchema(kindNamed(at(sent, "kind"))), sent), [], "what an editor would underline");
  });
}

test("samples applied server-side a second time change nothing: a GitOps tool sees no drift", async () => {
  const kubectl = kubectlFor(server.kubeconfig);
  const all = ["--server-side", "-f", join(repository, "samples")];
  const applied = await kubectl(["apply", ...all, "--field-manager=gitops", "--force-conflicts"]);
  equal(applied.code, 0, applied.stderr);
  const versions = async (): Promise<string> =>
    (await kubectl(["get", "delphix", "-A", "-o", "jsonpath={.items[*].metadata.resourceVersion}"])).stdout;
  const found = await versions();
  const again = await kubectl(["apply", ...all, "--field-manager=gitops"]);
  equal(again.code, 0, again.stderr);
  equal(await versions(), found);
  const drift = await kubectl(["diff", ...all, "--field-manager=gitops"]);
  deepEqual({ code: drift.code, stdout: drift.stdout }, { code: 0, stdout: "" }, drift.stderr);
});

test("a status keeps every declared field, for all nine kinds", async () => {
  for (const kind of kinds) {
    const path = `${pathOf(kind, namespace)}/${await nameOfOne(kind.plural, pathOf(kind, namespace))}`;
    const status = example(kind.status);
    const sent = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, status };
    const answer = await api.send("PATCH", `${path}/status?fieldManager=test&fieldValidation=Strict`, sent, applyPatch);
    deepEqual(
      { status: answer.status, warnings: answer.warnings, message: textAt(answer.body, "message") },
      { status: 200, warnings: [], message: "" },
      kind.kind,
    );
    deepEqual(lost("status", status, answer.body["status"]), [], kind.kind);
  }
});

async function nameOfOne(plural: string, path: string): Promise<string> {
  const { body } = await api.send("GET", path);
  const name = textAt(listAt(body, "items")[0], "metadata", "name");
  equal(name === "", false, `there is no sample of ${plural}`);
  return name;
}

/** What was sent and did not come back as it was. Lists and maps may have gained, never lost or changed. */
function lost(path: string, sent: unknown, kept: unknown): string[] {
  if (Array.isArray(sent)) return sent.flatMap((item, index) => lost(`${path}[${index}]`, item, at(kept, index)));
  if (isObject(sent)) return Object.entries(sent).flatMap(([name, value]) => lost(`${path}.${name}`, value, at(kept, name)));
  return sent === kept ? [] : [`${path}: ${JSON.stringify(sent)} became ${JSON.stringify(kept)}`];
}

/** A value for every field of a schema. */
function example(schema: unknown): unknown {
  const properties = at(schema, "properties");
  if (isObject(properties)) return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, example(field)]));
  const items = at(schema, "items");
  if (items !== undefined) return [example(items)];
  if (listAt(schema, "enum").length > 0) return listAt(schema, "enum").at(-1);
  if (textAt(schema, "format") === "date-time") return "2026-01-31T12:00:00Z";
  return { string: "text", integer: 3, boolean: true }[textAt(schema, "type")];
}

/** `helm template` over the chart's CRD templates alone: the rest of the chart needs values that are not this package's. */
async function renderChartCrds(): Promise<Json[]> {
  const chart = mkdtempSync(join(tmpdir(), "crd-chart-"));
  try {
    writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: crds\nversion: 0.0.0\n");
    cpSync(join(repository, "charts/delphix-operator/templates/crds"), join(chart, "templates"), { recursive: true });
    const { code, stdout, stderr } = await run("helm", ["template", "crds", chart]);
    equal(code, 0, stderr);
    return parseAllDocuments(stdout).flatMap((document) => {
      const value: unknown = document.toJS();
      return isObject(value) ? [value] : [];
    });
  } finally {
    rmSync(chart, { recursive: true });
  }
}
