import type { Manifest, Pod } from "kube-runtime";

const probe = (path: string): object => ({
  httpGet: { path, port: 8080 },
  periodSeconds: 10,
  timeoutSeconds: 2,
  failureThreshold: 3,
});

/** A Pod as clusters are full of: two containers, probes, volumes; about 4 kB as JSON without managedFields. */
export function aPod(namespace: string, at: number): Manifest<Pod> {
  const app = `service-${at % 200}`;
  const env = (count: number): { name: string; value: string }[] =>
    Array.from({ length: count }, (_, n) => ({ name: `SETTING_${n}`, value: `value-of-setting-${n}-of-${app}` }));
  const container = (name: string, count: number): Pod["spec"]["containers"][number] => ({
    name,
    image: `registry.example/${app}/${name}:1.${at % 7}.0`,
    env: env(count),
    ports: [{ name: "http", containerPort: 8080 }],
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
    volumeMounts: [
      { name: "settings", mountPath: "/etc/settings" },
      { name: "scratch", mountPath: "/tmp" },
    ],
    readinessProbe: probe("/ready"),
    livenessProbe: probe("/live"),
    securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  });
  return {
    metadata: {
      namespace,
      name: `${app}-${at.toString(36).padStart(8, "0")}`,
      labels: { app, "app.kubernetes.io/part-of": `team-${at % 20}`, "pod-template-hash": (at * 7919).toString(36) },
      annotations: { "example.dev/config-hash": (at * 104_729).toString(16), "example.dev/note": "made for a benchmark" },
    },
    spec: {
      automountServiceAccountToken: false,
      containers: [container("main", 12), container("sidecar", 4)],
      volumes: [
        { name: "settings", configMap: { name: `${app}-settings` } },
        { name: "scratch", emptyDir: {} },
      ],
      terminationGracePeriodSeconds: 30,
    },
  };
}
