import { parseArgs } from "node:util";
import { durationMilliseconds } from "@vdb/api";
import { given, type LogLevel, logLevels, oneOf, portNumber, wholeNumber } from "kube-runtime";

/** What the operator was started with: read once, here, from flags and the pod's environment. */
export interface OperatorConfig {
  /** A kubeconfig file, for a start outside of the cluster; undefined: the pod's service account. */
  readonly kubeconfig: string | undefined;
  /** The operator's own namespace: its Lease and the Secret with DCT's credentials are there. */
  readonly namespace: string;
  /** The namespaces to serve; none: all. */
  readonly watchNamespaces: readonly string[];
  readonly leaderElection: boolean;
  /** Whether actions may refer to databases in other namespaces without a ReferenceGrant there. */
  readonly allowCrossNamespace: boolean;
  /** Unique among the replicas. */
  readonly identity: string | undefined;
  /** The port of /metrics, /healthz and /readyz. */
  readonly httpPort: number;
  readonly logLevel: LogLevel;
  /** How many databases are worked on at once. */
  readonly concurrency: number;
  /** How long before it expires a database is told of. */
  readonly expiryNoticeSeconds: number;
  readonly defaults: VdbDefaults;
  /** The collector that traces go to, by OTLP over HTTP; undefined: there are none. */
  readonly otlpEndpoint: string | undefined;
  /** For tests: the phase in which every database is held. */
  readonly holdAt: string | undefined;
}

/** What holds where a manifest is silent. */
export interface VdbDefaults {
  readonly vdbGroupName: string;
  /** Undefined: the only environment of the engine. */
  readonly envName: string | undefined;
  readonly storageClassName: string;
  /** PostgreSQL's major version → image; a version that is not in it has none. */
  readonly images: ReadonlyMap<string, string>;
  /** The Secret with DCT_URL, DCT_KEY and ca.crt in the operator's namespace. */
  readonly credentialsSecret: string;
}

const options = {
  kubeconfig: { type: "string" },
  namespace: { type: "string" },
  "watch-namespaces": { type: "string", default: "" },
  "allow-cross-namespace": { type: "string", default: "false" },
  "leader-election": { type: "string", default: "true" },
  "http-port": { type: "string", default: "8080" },
  "log-level": { type: "string", default: "info" },
  concurrency: { type: "string", default: "8" },
  "expiry-notice": { type: "string", default: "1h" },
  "default-group": { type: "string", default: "Untitled" },
  "default-environment": { type: "string" },
  "storage-class": { type: "string", default: "de-fs-storage" },
  image: { type: "string", multiple: true },
  "credentials-secret": { type: "string", default: "delphix-creds" },
  "otlp-endpoint": { type: "string" },
  "hold-at": { type: "string" },
} as const;

/** Reads the command line and the environment. Throws an Error whose message is for the person who typed them. */
export function readConfig(argv: readonly string[], environment: Readonly<Record<string, string | undefined>>): OperatorConfig {
  const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
  return {
    kubeconfig: values.kubeconfig,
    namespace: values.namespace ?? environment["POD_NAMESPACE"] ?? "pg-operator",
    watchNamespaces: values["watch-namespaces"].split(",").filter((name) => name !== ""),
    leaderElection: oneOf("leader-election", values["leader-election"], ["true", "false"]) === "true",
    allowCrossNamespace: oneOf("allow-cross-namespace", values["allow-cross-namespace"], ["true", "false"]) === "true",
    identity: environment["POD_NAME"],
    httpPort: portNumber("http-port", values["http-port"]),
    logLevel: oneOf("log-level", values["log-level"], logLevels),
    concurrency: wholeNumber("concurrency", values.concurrency, 1, 100),
    expiryNoticeSeconds: seconds("expiry-notice", values["expiry-notice"]),
    defaults: {
      vdbGroupName: values["default-group"],
      envName: given(values["default-environment"]),
      storageClassName: values["storage-class"],
      images: new Map((values.image ?? []).map(imageOfMajor)),
      credentialsSecret: values["credentials-secret"],
    },
    otlpEndpoint: httpUrl("otlp-endpoint", given(values["otlp-endpoint"])),
    holdAt: given(values["hold-at"]),
  };
}

function httpUrl(flag: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.search !== "" || url.hash !== "")
    throw new Error(
      `--${flag}=${text}: it must be the address of an OTLP collector, for example http://collector.monitoring:4318`,
    );
  return url.href.replace(/\/+$/u, "");
}

function seconds(flag: string, text: string): number {
  try {
    return durationMilliseconds(text) / 1000;
  } catch {
    throw new Error(`--${flag}=${text}: it must be a duration, for example 1h`);
  }
}

function imageOfMajor(value: string): readonly [string, string] {
  const [, major = "", image = ""] = /^(\d+(?:\.\d+)?)=(\S+)$/u.exec(value) ?? [];
  if (image === "") throw new Error(`--image=${value}: it must be MAJOR=IMAGE, for example 16=postgres:16.2`);
  return [major, image];
}
