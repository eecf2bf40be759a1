import { type Kubectl, postgresImage } from "@vdb/cluster";
import { together } from "./volumes/manifests.ts";

export type Workload = {
  readonly name: string;
  readonly namespace: string;
  /** Of its claim, which has the workload's name and stays when the workload goes. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly claim: Readonly<Record<string, unknown>>;
};

/** A plain PostgreSQL as somebody else runs it: the official image, its data in the folder data of the volume. */
export async function applyWorkload(kubectl: Kubectl, { name, namespace, annotations, claim }: Workload): Promise<void> {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...claim };
  await kubectl.apply(
    together([
      { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, namespace, annotations }, spec },
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name, namespace },
        spec: {
          strategy: { type: "Recreate" },
          selector: { matchLabels: { app: name } },
          template: { metadata: { labels: { app: name } }, spec: podOn(name, startsServer) },
        },
      },
    ]),
  );
  await kubectl.run(["rollout", "status", `deploy/${name}`, "-n", namespace, "--timeout=240s"]);
}

export async function scaleWorkload(kubectl: Kubectl, { name, namespace }: Workload, replicas: 0 | 1): Promise<void> {
  await kubectl.run(["scale", `deploy/${name}`, "-n", namespace, `--replicas=${replicas}`]);
  await kubectl.run(["rollout", "status", `deploy/${name}`, "-n", namespace, "--timeout=240s"]);
  if (replicas === 0) await kubectl.run(["wait", "pod", "-l", `app=${name}`, "-n", namespace, "--for=delete", "--timeout=120s"]);
}

/** Runs a script in the folder of the claim, while nothing else uses it. */
export async function inClaim(kubectl: Kubectl, { name, namespace }: Workload, script: string): Promise<void> {
  const pod = `${name}-change`;
  const spec = { restartPolicy: "Never", ...podOn(name, script) };
  const { readinessProbe: _, ...container } = spec.containers[0];
  const metadata = { name: pod, namespace };
  await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, containers: [container] } }));
  await kubectl.run(["wait", `pod/${pod}`, "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s"]);
  await kubectl.run(["delete", "pod", pod, "-n", namespace, "--timeout=60s"]);
}

export async function sqlInWorkload(
  kubectl: Kubectl,
  { name, namespace }: Pick<Workload, "name" | "namespace">,
  sql: string,
): Promise<string> {
  const psql = ["psql", "-U", "postgres", "-qXAt", "-v", "ON_ERROR_STOP=1", "-f", "-"];
  return await kubectl.run(["exec", "-i", "-n", namespace, `deploy/${name}`, "--", ...psql], { input: sql });
}

const startsServer =
  'rm -f data/vdb-*; echo "local all all trust" >/tmp/hba; ' +
  'exec postgres -D "$PWD/data" -c hba_file=/tmp/hba -c listen_addresses= -c unix_socket_directories=/tmp -c checkpoint_timeout=1d';

const podOn = (claimName: string, script: string) => ({
  securityContext: { runAsUser: 999, runAsGroup: 999, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [
    {
      name: "postgres",
      image: postgresImage,
      command: ["/bin/sh", "-euc"],
      args: [`cd /var/lib/postgresql/data; ${script}`],
      env: [{ name: "PGHOST", value: "/tmp" }],
      readinessProbe: { exec: { command: ["pg_isready", "-q"] }, periodSeconds: 1 },
      volumeMounts: [{ name: "data", mountPath: "/var/lib/postgresql/data" }],
    },
  ] as const,
  volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
});
