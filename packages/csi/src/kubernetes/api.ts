import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import { unavailable } from "../grpc/rpc-error.ts";

export interface KubernetesOptions {
  readonly url: string;
  /** The service account's token; read at each call, because the kubelet renews it. Left out: none is sent. */
  readonly tokenFile?: string;
  readonly caFile?: string;
}

/** The two objects that the driver reads, each by its name. */
export interface KubernetesApi extends AsyncDisposable {
  /** Undefined when there is no such object. */
  readonly get: (path: string, signal: AbortSignal) => Promise<unknown>;
}

const timeoutSeconds = 5;

export function createKubernetesApi({ url, tokenFile, caFile }: KubernetesOptions): KubernetesApi {
  const agent = new Agent({
    connect: { timeout: timeoutSeconds * 1000, ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) },
  });
  const headers = (): Record<string, string> =>
    tokenFile === undefined ? {} : { authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}` };
  return {
    get: async (path, signal) => {
      const failed = (why: string, cause?: unknown): Error => unavailable(`Kubernetes API, GET ${path}: ${why}`, cause);
      const limits = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
      try {
        const answer = await request(new URL(path, url), { dispatcher: agent, headers: headers(), signal: limits });
        const body = await answer.body.text();
        if (answer.statusCode === 404) return undefined;
        if (answer.statusCode !== 200) throw failed(`HTTP ${answer.statusCode} ${body.slice(0, 300)}`);
        return JSON.parse(body);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof Error && error.name === "RpcError" ? error : failed(String(error), error);
      }
    },
    [Symbol.asyncDispose]: async () => await agent.destroy(),
  };
}
