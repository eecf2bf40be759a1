/**
 * The baseline: PostgreSQL of the same image on a volume of the same kind, a copy of the claim or VolumeSnapshot that `dataSource`
 * names, with at least that storage, as a plain Deployment with a Service. Nothing but Kubernetes starts and stops it, and nothing is done to its data.
 */
export function bareCopy(name: string, namespace: string, dataSource: object, storage = "1Gi"): string {
  const labels = { app: name };
  // The copy's own pg_hba.conf lets in nobody but the operator's socket.
  const script = 'printf "local all all trust\\nhost all all all trust\\n" >/tmp/hba && exec "$@"';
  const settings = ["hba_file=/tmp/hba", "listen_addresses=*", "port=5432", "unix_socket_directories=/tmp"];
  const container = {
    name: "postgres",
    image: "postgres:16.2",
    command: ["/bin/sh", "-c", script, "sh", "postgres"],
    args: ["-D", "/mnt/postgres/data", ...settings.flatMap((setting) => ["-c", setting])],
    readinessProbe: { exec: { command: ["pg_isready", "-h", "127.0.0.1", "-q"] }, periodSeconds: 1 },
    resources: { requests: { cpu: "50m", memory: "128Mi" } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    volumeMounts: [{ name: "data", mountPath: "/mnt/postgres" }],
  };
  const pod = {
    securityContext: { runAsUser: 999, runAsGroup: 999, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
  };
  const volume = {
    storageClassName: "de-fs-storage",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage } },
    dataSource,
  };
  const deployment = {
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: pod },
  };
  const metadata = { name, namespace };
  return [
    { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: volume },
    { apiVersion: "v1", kind: "Service", metadata, spec: { selector: labels, ports: [{ port: 5432 }] } },
    { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: deployment },
  ]
    .map((object) => JSON.stringify(object))
    .join("\n---\n");
}
