import { ownershipOf, type PostgresVDB, safeLabelValue, type VdbPodTemplate } from "@vdb/api";
import type { Container, Deployment, EnvVar, Manifest, PodSpec, ResourceRequirements, Volume } from "kube-runtime";
import type { PodMode } from "../decide/decide-mode.ts";
import {
  childLabels,
  configMapName,
  containerName,
  contentLabel,
  instanceLabel,
  managedByLabel,
  modeLabel,
  operatorName,
  ownerOf,
} from "../names.ts";
import { valueOf } from "./quantity.ts";

/** Where the pod has what it needs beside the data. Sockets are where Debian's PostgreSQL expects them. */
export const paths = { config: "/etc/vdb", run: "/var/run/postgresql", tls: "/etc/vdb-tls" } as const;

export const restartAnnotation = "postgresvdb.core.delphix.com/restarted-for";

export interface DeploymentFacts {
  readonly contentId: string;
  readonly image: string;
  readonly claimName: string;
  /** Changes when a setting needs a restart: a new pod reads it. */
  readonly restartedFor: string | undefined;
  /** Left out: Primary. */
  readonly mode?: PodMode;
}

/** The Deployment that runs the database: one pod, never two on the same data. */
export function desiredDeployment(vdb: PostgresVDB, facts: DeploymentFacts): Manifest<Deployment> {
  const { name, namespace } = vdb.metadata;
  const { labels = {}, annotations: given = {} } = vdb.spec.podTemplate ?? {};
  const annotations = { ...given, ...(facts.restartedFor === undefined ? {} : { [restartAnnotation]: facts.restartedFor }) };
  return {
    metadata: { name, namespace, labels: childLabels(vdb), ownerReferences: ownerOf(vdb) },
    spec: {
      replicas: 1, // it is stopped by a patch of this alone
      strategy: { type: "Recreate" },
      revisionHistoryLimit: 0,
      // Not by the instance alone: the pods of a Helm release of the same name have that label too. It can never be changed.
      selector: { matchLabels: podSelector(vdb) },
      template: {
        metadata: {
          labels: { ...labels, ...childLabels(vdb), ...modeLabels(facts.mode), [contentLabel]: facts.contentId }, // the operator's own win
          ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
        },
        spec: podSpec(vdb, facts),
      },
    },
  };
}

/** A Primary has none: what its pod is made by stays as it is. */
export const modeLabels = (mode: PodMode = "Primary"): Readonly<Record<string, string>> =>
  mode === "Primary" ? {} : { [modeLabel]: mode };

/** Selects the database's pod, whatever data it runs. */
export const podSelector = ({ metadata: { name } }: PostgresVDB): Readonly<Record<string, string>> => ({
  [instanceLabel]: safeLabelValue(name),
  [managedByLabel]: operatorName,
});

/** Passes Pod Security's restricted profile. No fsGroup: it would make the data group-writable, which PostgreSQL refuses. */
function podSpec(vdb: PostgresVDB, facts: DeploymentFacts): PodSpec {
  const { uid, gid } = ownershipOf(vdb.spec);
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false, // else a Service named like a variable of PostgreSQL's would change what psql does
    terminationGracePeriodSeconds: 60,
    ...placement(vdb.spec.podTemplate),
    securityContext: { runAsUser: uid, runAsGroup: gid, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container(vdb, facts)],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: facts.claimName } },
      { name: "config", configMap: { name: configMapName(vdb), defaultMode: 0o444 } },
      { name: "run", emptyDir: {} },
      { name: "tmp", emptyDir: {} },
      { name: "shm", emptyDir: { medium: "Memory" } }, // the runtime's own has 64 MiB, too little for parallel queries
      ...tlsVolume(vdb),
    ],
  };
}

/** Optional, so that a Secret that is missing is told by the operator, not by a pod that hangs. No one else's process is in the pod. */
const tlsVolume = ({ spec: { tls } }: PostgresVDB): readonly Volume[] =>
  tls === undefined ? [] : [{ name: "tls", secret: { secretName: tls.secretName, defaultMode: 0o444, optional: true } }];

/** Where the pod may run, as the manifest says; without it the Deployment is as it was, and so is its pod. */
function placement({ nodeSelector, tolerations, affinity, priorityClassName }: VdbPodTemplate = {}): Partial<PodSpec> {
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
  };
}

/** Between two questions to a server that was ready, and how long one that does not answer may take to do so. */
const probeSeconds = { pause: 20, patience: 40 } as const;

/**
 * Ready as soon as the server lets sessions in, and not before; from then on asked every 20 s, for a process in the container
 * each second would be nearly all that an idle database costs. The pause lies inside of the probe: with a period of 20 s the
 * kubelet, whose first question often comes before it knows the container, would ask the second time 20 s later. The start
 * script removes the file. After some seconds it is a long recovery, which needs the processor for itself.
 */
const untilReady = `asked=${paths.run}/asked
[ ! -e $asked ] || { sleep ${probeSeconds.pause}; rm -f $asked; }
n=0
until pg_isready -q; do n=$((n + 1)); if [ $n -lt 100 ]; then sleep 0.05; else sleep 1; fi; done
true >$asked`;

function container(vdb: PostgresVDB, facts: DeploymentFacts): Container {
  return {
    name: containerName,
    image: facts.image,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/sh", `${paths.config}/start.sh`],
    env: environment(vdb, facts),
    ports: [{ name: "postgres", containerPort: vdb.spec.port, protocol: "TCP" }],
    resources: resourcesOf(vdb),
    volumeMounts: [
      { name: "data", mountPath: vdb.spec.mountPath },
      { name: "config", mountPath: paths.config, readOnly: true },
      { name: "run", mountPath: paths.run },
      { name: "tmp", mountPath: "/tmp" },
      { name: "shm", mountPath: "/dev/shm" },
      ...(vdb.spec.tls === undefined ? [] : [{ name: "tls", mountPath: paths.tls, readOnly: true }]),
    ],
    // No startup probe: it costs its own period, and the kubelet's next look at the runtime before it asks for readiness. No
    // liveness probe: whoever ends a server in its recovery makes it begin again.
    readinessProbe: {
      exec: { command: ["/bin/sh", "-c", untilReady] },
      periodSeconds: 1,
      timeoutSeconds: probeSeconds.pause + probeSeconds.patience,
      failureThreshold: 1,
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}

/** What makes bare `psql` work in `kubectl exec`, and what the start script goes by. */
function environment(vdb: PostgresVDB, { contentId, mode = "Primary" }: DeploymentFacts): readonly EnvVar[] {
  const { mountPath, port, database, resources, source, dataDirectory = "" } = vdb.spec;
  const limit = valueOf(resources?.limits?.["memory"]);
  // Only of a volume that DCT has made it is known where the data lies.
  const isKnown = source.type === "dct-source" && dataDirectory === "";
  const variables = {
    ...(isKnown ? { PGDATA: `${mountPath}/data` } : { PGDATA: `${paths.run}/pgdata`, VDB_DATA_FOLDER: dataDirectory }),
    PGPORT: String(port),
    PGHOST: paths.run,
    PGUSER: database.user,
    PGDATABASE: database.name,
    HOME: "/tmp",
    VDB_MOUNT: mountPath,
    VDB_CONTENT_ID: contentId,
    VDB_CONFIG: paths.config,
    VDB_RUN: paths.run,
    ...(vdb.spec.tls === undefined ? {} : { VDB_TLS: paths.tls }),
    VDB_MEMORY_LIMIT_MB: String(limit === undefined ? 0 : Math.floor(limit / 2 ** 20)),
    ...(mode === "Primary" ? {} : { VDB_MODE: mode }),
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

function resourcesOf({ spec: { resources } }: PostgresVDB): ResourceRequirements {
  return {
    ...(resources?.requests === undefined ? {} : { requests: asTexts(resources.requests) }),
    ...(resources?.limits === undefined ? {} : { limits: asTexts(resources.limits) }),
  };
}

/** Quantities as the API server keeps them: `2` in a manifest is a number, there a text. */
function asTexts(amounts: Readonly<Record<string, string | number>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
}
