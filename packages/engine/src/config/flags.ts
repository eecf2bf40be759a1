import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { type LogLevel, logLevels, oneOf, type PodEnvironment } from "kube-runtime";
import { shortestIntervalSeconds } from "./settings.ts";
import { parseSeconds } from "./units.ts";

/** How this process was started; see README.md for the meaning of each flag. */
export interface Flags {
  readonly configFile: string | undefined;
  readonly secretsDir: string;
  readonly dataDir: string;
  readonly listenHost: string;
  readonly listenPort: number;
  readonly nodeName: string;
  readonly postgresDir: string;
  readonly publicUrl: string;
  readonly publishNamespaces: readonly string[];
  /** Where the credentials are published: what the kubelet tells every pod of the API server. */
  readonly pod: PodEnvironment;
  readonly logLevel: LogLevel;
  /** For tests: the failpoint at which a job stops for good, so that the test can kill the engine there. */
  readonly holdAt: string | undefined;
  /** For tests: intervals may be as short as this. */
  readonly shortestIntervalSeconds: number;
}

export const defaultDataDir = "/var/lib/delphix-engine";

export function readFlags(args: readonly string[], env: NodeJS.ProcessEnv): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: "string" },
      "secrets-dir": { type: "string", default: "/etc/delphix-engine/secrets" },
      "data-dir": { type: "string", default: defaultDataDir },
      listen: { type: "string", default: "0.0.0.0:8443" },
      "node-name": { type: "string", default: env["NODE_NAME"] ?? hostname() },
      "postgres-dir": { type: "string", default: "/usr/lib/postgresql" },
      "public-url": { type: "string", default: "https://delphix-engine.delphix-storage.svc" },
      "publish-credentials": { type: "string", default: "" },
      "log-level": { type: "string", default: "info" },
      "hold-at": { type: "string" },
      "shortest-interval": { type: "string", default: `${shortestIntervalSeconds}s` },
    },
  });
  const [, host = "", port = ""] = /^(.*):(\d+)$/u.exec(values.listen) ?? [];
  if (host === "" || Number(port) > 65_535) throw new Error(`--listen=${values.listen}: it must be host:port`);
  return {
    configFile: values.config,
    secretsDir: values["secrets-dir"],
    dataDir: values["data-dir"],
    listenHost: host.replace(/^\[(.*)\]$/u, "$1"),
    listenPort: Number(port),
    nodeName: values["node-name"],
    postgresDir: values["postgres-dir"],
    publicUrl: values["public-url"],
    publishNamespaces: values["publish-credentials"].split(",").filter((namespace) => namespace !== ""),
    pod: { host: env["KUBERNETES_SERVICE_HOST"], port: env["KUBERNETES_SERVICE_PORT"] },
    logLevel: oneOf("log-level", values["log-level"], logLevels),
    holdAt: values["hold-at"],
    shortestIntervalSeconds: parseSeconds(values["shortest-interval"], "--shortest-interval"),
  };
}
