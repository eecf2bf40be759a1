import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Connection, TlsSettings } from "./connection.ts";

/** Credential plugins are not asked, and files not read, more often than this. */
const credentialAgeMs = 10_000;

/**
 * A kubeconfig, with all the ways of authentication that the official client knows (certificates, tokens, exec plugins,
 * OIDC). That client is loaded only here: in a pod it would cost 60 MiB for nothing.
 */
export async function kubeconfigConnection(file: string | undefined, context: string | undefined): Promise<Connection> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (file === undefined) config.loadFromDefault();
  else config.loadFromFile(file);
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(
      `the kubeconfig ${file ?? "($KUBECONFIG or ~/.kube/config)"} has no cluster for its context "${config.currentContext}"`,
    );
  const server = new URL(cluster.server);
  const credentials = remembered(() => credentialsOf(config));
  return {
    server: new URL(server.origin),
    pathPrefix: server.pathname.replace(/\/$/u, ""),
    namespace: config.getContextObject(config.currentContext)?.namespace ?? "default",
    tls: async () => (await credentials()).tls,
    headers: async () => (await credentials()).headers,
  };
}

interface Credentials {
  readonly tls: TlsSettings;
  readonly headers: Readonly<Record<string, string>>;
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, headers, auth } = options;
  const given = { ca, cert, key, servername, rejectUnauthorized };
  const tls: TlsSettings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const basic = typeof auth === "string" ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
  return { tls, headers: { ...textHeaders(headers), ...basic } };
}

function textHeaders(headers: RequestOptions["headers"]): Record<string, string> {
  if (headers === undefined || Array.isArray(headers)) return {};
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name.toLowerCase(), value]] : [])),
  );
}

function remembered<T>(read: () => Promise<T>): () => Promise<T> {
  const state: { value: Promise<T> | undefined; readMs: number } = { value: undefined, readMs: 0 };
  return () => {
    if (state.value === undefined || performance.now() - state.readMs > credentialAgeMs) {
      state.readMs = performance.now();
      state.value = read();
      state.value.catch(() => {
        state.value = undefined; // a failure is not remembered
      });
    }
    return state.value;
  };
}
