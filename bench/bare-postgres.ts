/** A Deployment of the official image on an empty volume, with a probe that starts a process every second: the baseline. */
export const barePostgres = (
  name: string,
  namespace: string,
  resources: object = { requests: { cpu: "50m", memory: "128Mi" } },
): string =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          securityContext: {
            runAsUser: 999,
            runAsGroup: 999,
            runAsNonRoot: true,
            fsGroup: 999,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "postgres",
              image: "postgres:16.2",
              env: [
                { name: "POSTGRES_PASSWORD", value: "bench-only-1" },
                { name: "PGDATA", value: "/data/pgdata" },
              ],
              readinessProbe: { exec: { command: ["pg_isready", "-h", "127.0.0.1", "-q"] }, periodSeconds: 1 },
              resources,
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
              volumeMounts: [{ name: "data", mountPath: "/data" }],
            },
          ],
          volumes: [{ name: "data", emptyDir: {} }],
        },
      },
    },
  });
