import { Agent, request } from "node:https";
import type { TestApiServer } from "kube-runtime/testing";
import { crd, type Kind, kinds } from "../../src/index.ts";
import { isObject, type Json, listAt, textAt } from "./json.ts";

/** What the API server answered: its verdict, its warnings, its body. */
export interface Answer {
  readonly status: number;
  readonly warnings: readonly string[];
  readonly body: Json;
}

/** Plain requests to an API server, as a test wants them: nothing is retried, thrown or hidden. */
export interface Api extends Disposable {
  readonly send: (method: string, path: string, body?: unknown, contentType?: string) => Promise<Answer>;
}

export async function openApi({ url, connection }: TestApiServer): Promise<Api> {
  const [tls, headers] = await Promise.all([connection.tls(), connection.headers()]);
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ...(tls.ca === undefined ? {} : { ca: tls.ca }) });
  const send: Api["send"] = (method, path, body, contentType = "application/json") =>
    new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, url),
        { method, agent, headers: { ...headers, "content-type": contentType } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
            const warnings = answer.headersDistinct["warning"] ?? [];
            resolve({ status: answer.statusCode ?? 0, warnings, body: isObject(parsed) ? parsed : {} });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return { send, [Symbol.dispose]: () => agent.destroy() };
}

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
export const applyPatch = "application/apply-patch+yaml"; // JSON is YAML

export const applyCrd = async (api: Api, definition: Json): Promise<Answer> =>
  await api.send(
    "PATCH",
    `${crds}/${textAt(definition, "metadata", "name")}?fieldManager=test&fieldValidation=Strict`,
    definition,
    applyPatch,
  );

/** Installs the nine kinds and a namespace, and waits until the kinds are served. */
export async function installKinds(api: Api, namespace: string): Promise<void> {
  for (const kind of kinds) {
    const answer = await applyCrd(api, crd(kind));
    if (answer.status >= 300) throw new Error(`${kind.kind}: ${textAt(answer.body, "message")}`);
  }
  await createNamespace(api, namespace);
  for (const kind of kinds) await untilServed(api, kind);
}

async function createNamespace(api: Api, name: string): Promise<void> {
  const { status, body } = await api.send("POST", "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${textAt(body, "message")}`);
}

async function untilServed(api: Api, kind: Kind): Promise<void> {
  const until = performance.now() + 30_000;
  for (;;) {
    const { body } = await api.send("GET", `/apis/${kind.group}/${kind.version}`);
    const served = listAt(body, "resources").some((resource) => isObject(resource) && resource["name"] === kind.plural);
    if (served && (await api.send("GET", pathOf(kind, "default"))).status === 200) return;
    if (performance.now() > until) throw new Error(`${kind.plural} are not served after 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const pathOf = ({ group, version, plural }: Kind, namespace: string): string =>
  `/apis/${group}/${version}/namespaces/${namespace}/${plural}`;

export const kindNamed = (name: unknown): Kind => {
  const found = kinds.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`no kind ${String(name)}`);
  return found;
};
