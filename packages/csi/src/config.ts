/** Reads the driver's flags and environment, once. Everything behind this takes its options as arguments. */
import { parseArgs } from "node:util";
import { given, type LogLevel, logLevels, oneOf, type PodEnvironment, portNumber } from "kube-runtime";
import type { SpecDefaults } from "./controller/volume-spec.ts";
import { driverName } from "./driver.ts";

const modes = ["controller", "node", "all"] as const;

export interface Config {
  /** Which half of the driver this process is; `all` serves both, for tests. */
  readonly mode: (typeof modes)[number];
  /** Another than the usual one only in tests, where the driver stands for one of somebody else. */
  readonly driverName: string;
  readonly endpoint: string;
  readonly nodeId: string;
  readonly kubeletDir: string;
  readonly poolDir: string;
  /** Where mounts are made ready before they are seen outside; see node/mounts.ts. */
  readonly stageDir: string;
  /** Volumes are attached: the VDB is enabled before a node mounts it, and disabled afterwards. */
  readonly attach: boolean;
  /** Where the Secret with DCT's address and key lies. */
  readonly credentials: { readonly namespace: string; readonly name: string };
  /** An API server that asks for no credentials, for tests; undefined: the pod's service account. */
  readonly kubernetesUrl: string | undefined;
  /** Where the kubelet says that the API server is. */
  readonly pod: PodEnvironment;
  readonly defaults: SpecDefaults;
  /** The ConfigMap whose keys stand before these defaults; in the namespace of the credentials. */
  readonly configMap: { readonly namespace: string; readonly name: string };
  /** 0: any free port. */
  readonly healthPort: number;
  readonly logLevel: LogLevel;
}

const optionalText = { type: "string" } as const;
const text = (value: string) => ({ type: "string", default: value }) as const;
const options = {
  mode: text("all"),
  "driver-name": text(driverName),
  endpoint: text("unix:///csi/csi.sock"),
  "node-id": optionalText,
  "kubelet-dir": text("/var/lib/kubelet"),
  "pool-dir": text("/var/lib/delphix-engine/pool"),
  "stage-dir": text("/run/delphix-csi"),
  attach: { type: "boolean", default: false },
  "credentials-namespace": optionalText,
  "credentials-secret": text("delphix-creds"),
  "config-map": text("delphix-config"),
  "kubernetes-url": optionalText,
  engineName: optionalText,
  sourceDBName: optionalText,
  vdbGroupName: text("Untitled"),
  envName: optionalText,
  vdbRepositoryName: optionalText,
  vdbStageMountpath: text("/mnt/postgres"),
  ownershipSpec: text("999:999"),
  "health-port": text("9808"),
  "log-level": text("info"),
} as const;

export function readConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  const { values: flag } = parseArgs({ args: [...args], options, allowPositionals: false });
  const mode = oneOf("mode", flag.mode, modes);
  const namespace = flag["credentials-namespace"] ?? env["POD_NAMESPACE"] ?? "delphix-storage";
  const nodeId = flag["node-id"] ?? env["NODE_NAME"] ?? "";
  if (mode !== "controller" && nodeId === "")
    throw new Error("--node-id or NODE_NAME is missing: set it to the node's name in Kubernetes");
  return {
    mode,
    driverName: flag["driver-name"],
    endpoint: flag.endpoint,
    nodeId,
    kubeletDir: flag["kubelet-dir"],
    poolDir: flag["pool-dir"],
    stageDir: flag["stage-dir"],
    attach: flag.attach,
    credentials: { namespace, name: flag["credentials-secret"] },
    configMap: { namespace, name: flag["config-map"] },
    kubernetesUrl: flag["kubernetes-url"],
    pod: { host: env["KUBERNETES_SERVICE_HOST"], port: env["KUBERNETES_SERVICE_PORT"] },
    defaults: {
      ...optional("engineName", flag.engineName),
      ...optional("sourceDBName", flag.sourceDBName),
      ...optional("envName", flag.envName),
      ...optional("vdbRepositoryName", flag.vdbRepositoryName),
      vdbGroupName: flag.vdbGroupName,
      vdbStageMountpath: flag.vdbStageMountpath,
      ownershipSpec: flag.ownershipSpec,
    },
    healthPort: portNumber("health-port", flag["health-port"]),
    logLevel: oneOf("log-level", flag["log-level"], logLevels),
  };
}

/** A default that is not set is left out. */
function optional<const K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  const set = given(value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key widens to string; it is K by construction
  return (set === undefined ? {} : { [key]: set }) as { readonly [P in K]?: string };
}
