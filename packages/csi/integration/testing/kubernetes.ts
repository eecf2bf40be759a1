import { once } from "node:events";
import { createServer } from "node:http";

/** The two kinds of objects that the driver reads, as the API server would answer them. */
export interface Kubernetes extends AsyncDisposable {
  readonly url: string;
  /** Annotations of claims in namespace `team`, by name. */
  readonly claims: Map<string, Readonly<Record<string, string>>>;
  /** What Secret delphix-creds holds. */
  secret: Readonly<Record<string, string>>;
}

export const claimNamespace = "team";

export async function startKubernetes(): Promise<Kubernetes> {
  const claims: Kubernetes["claims"] = new Map();
  const state = { claims, secret: {} };
  const server = createServer((request, response) => {
    const found = answer(request.url ?? "", state);
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(found ?? {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

function answer(path: string, { claims, secret }: Pick<Kubernetes, "claims" | "secret">): object | undefined {
  if (path === "/api/v1/namespaces/delphix-storage/secrets/delphix-creds")
    return { metadata: { name: "delphix-creds" }, data: base64(secret) };
  const [, name = ""] = new RegExp(`^/api/v1/namespaces/${claimNamespace}/persistentvolumeclaims/(.+)$`, "u").exec(path) ?? [];
  const annotations = claims.get(name);
  return annotations === undefined ? undefined : { metadata: { name, annotations } };
}

const base64 = (data: Readonly<Record<string, string>>): object =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
