/** Which blocks of commands in the documentation run on the e2e cluster, in which order, and why the others do not. */

export interface Session {
  readonly what: string;
  /** Runs first: what the page takes for given. */
  readonly given?: string;
  /** By name, in this order, in one shell. */
  readonly blocks: readonly string[];
  /** What stands in a command for what the reader puts in, or has to wait for. */
  readonly put?: Readonly<Record<string, string>>;
  /** The page has all that its commands show: it is compared, but for what differs from run to run. */
  readonly isRecording?: boolean;
}

const json = (expression: string): string =>
  `node -pe 'const {items} = JSON.parse(require("fs").readFileSync(0, "utf8")); ${expression}'`;
const api = "curl --cacert ca.crt -H @auth https://localhost:8443/v3";
const jobsEnd = `until ${api}/jobs?limit=1 | grep -q COMPLETED; do sleep 0.5; done`;

export const sessions: readonly Session[] = [
  {
    what: "a database, from its manifest to its logs",
    given: "kubectl delete postgresvdb my-postgres-vdb -n pg-operator --ignore-not-found",
    blocks: [
      "docs/postgresvdb.md: kubectl apply -f samples/secret.yaml -f samples/postgresvdb-dct-source.yaml",
      "docs/postgresvdb.md: kubectl get postgresvdb -A -l sourceDBName=production,envName=dev-env",
      "docs/postgresvdb.md: kubectl port-forward svc/my-postgres-vdb 5493:5493 -n pg-operator &",
      "docs/postgresvdb.md: kubectl exec -it deploy/my-postgres-vdb -n pg-operator -- psql",
      "docs/troubleshooting.md: kubectl get postgresvdb -A                                  # phase and ready",
      "docs/troubleshooting.md: kubectl logs deploy/my-postgres-vdb -n pg-operator                                  # PostgreSQL and its start script",
      "docs/troubleshooting.md: vdb=pg-operator/my-postgres-vdb",
      "docs/operations.md: kubectl get postgresvdb -A -o custom-columns='NAMESPACE:.metadata.namespace,NAME:.metadata.name,STORAGE:.status.conditions[?(@.type==\"StorageHealthy\")].reason'",
      "docs/operations.md: kubectl exec deploy/my-postgres-vdb -n pg-operator -- pg_dump -Fc >my-postgres-vdb.dump",
    ],
  },
  {
    what: "tasks, a snapshot and a refresh of it",
    given: `kubectl exec deploy/my-postgres-vdb -n pg-operator -- createdb appdb
kubectl apply -f samples/postgrestask.yaml -f samples/task.yaml -f cluster/demo/my-vdb-refresh.yaml
kubectl wait --for=condition=Ready postgrestask/check-schema task/disk-use -n pg-operator --timeout=2m`,
    blocks: [
      "docs/postgrestask.md: kubectl get postgrestask check-schema -n pg-operator -o jsonpath='{.status.output}'",
      "docs/task.md: kubectl get task disk-use -n pg-operator -o jsonpath='{.status.output}'",
      "docs/gitops.md: kubectl wait --for=condition=Ready postgresvdb/my-postgres-vdb -n pg-operator --timeout=10m",
      "docs/operations.md: claim=$(kubectl get pvc -n pg-operator -l app.kubernetes.io/instance=my-postgres-vdb -o jsonpath='{.items[0].metadata.name}')",
    ],
  },
  {
    what: "the engine's API, with a volume of one's own",
    given: `kubectl create namespace docs-driver
kubectl config set-context --current --namespace=docs-driver`,
    blocks: [
      "docs/operations.md: kubectl port-forward -n delphix-storage svc/delphix-engine 8443:443 &",
      "docs/operations.md: kubectl exec -n delphix-storage delphix-engine-0 -- df -h /var/lib/delphix-engine/pool",
      "docs/driver.md: kubectl apply -f samples/driver/claim.yaml -f samples/driver/deployment.yaml",
      "docs/driver.md: vdb=$(kubectl get pv $(kubectl get pvc my-copy -o jsonpath='{.spec.volumeName}') -o jsonpath='{.spec.csi.volumeHandle}')",
    ],
    put: {
      "dsource=… # its id, such as 1204417-APPDATA_CONTAINER-1; the first number is the engine's own": `dsource=$(${api}/dsources | ${json("items[0].id")})`,
      "curl --cacert ca.crt -H @auth -X DELETE https://localhost:8443/v3/snapshots/$snapshot": `${jobsEnd}
snapshot=$(${api}/dsources/$dsource/snapshots | ${json("items.sort((a, b) => a.timestamp < b.timestamp ? -1 : 1).at(-1).id")})
curl --cacert ca.crt -H @auth -X DELETE https://localhost:8443/v3/snapshots/$snapshot
${jobsEnd}`,
      "kubectl apply -f samples/driver/claim.yaml -f samples/driver/deployment.yaml": `kubectl apply -f samples/driver/claim.yaml -f samples/driver/deployment.yaml
kubectl rollout status deployment/my-postgres --timeout=3m`,
      "curl --cacert ca.crt -H @auth 'https://localhost:8443/v3/jobs?limit=1'     # until it is COMPLETED": jobsEnd,
    },
  },
  {
    what: "kubectl vdb",
    blocks: [
      "docs/kubectl-vdb.md: make kubectl-vdb",
      "docs/kubectl-vdb.md: kubectl vdb completion >~/.local/bin/kubectl_complete-vdb",
      "docs/kubectl-vdb.md: kubectl vdb list -n pg-operator",
      "docs/kubectl-vdb.md: kubectl vdb status my-postgres-vdb -n pg-operator",
      "docs/troubleshooting.md: kubectl vdb logs my-postgres-vdb -n pg-operator",
      "docs/kubectl-vdb.md: kubectl vdb plan refresh my-postgres-vdb -n pg-operator",
      "docs/kubectl-vdb.md: kubectl vdb psql my-postgres-vdb -n pg-operator",
      "docs/kubectl-vdb.md: kubectl vdb wait my-postgres-vdb --for=ready --timeout=5m",
    ],
    put: {
      "kubectl vdb wait my-postgres-vdb --for=ready --timeout=5m": `kubectl config set-context --current --namespace=pg-operator
kubectl vdb wait my-postgres-vdb --for=ready --timeout=5m`,
      "kubectl vdb wait vdbrefresh/nightly": "kubectl vdb wait vdbrefresh/my-vdb-refresh",
    },
  },
  {
    what: "a recording of kubectl vdb",
    given: `kubectl delete volumesnapshot,vdbsnapshot,vdbrefresh,vdbrewind --all -n pg-operator
kubectl delete postgresvdb my-postgres-vdb -n pg-operator --ignore-not-found
kubectl apply -f samples/secret.yaml -f cluster/demo/my-postgres-vdb.yaml
kubectl wait --for=condition=Ready postgresvdb/my-postgres-vdb -n pg-operator --timeout=4m
kubectl wait --for=jsonpath='{.status.ownBytes}' postgresvdb/my-postgres-vdb -n pg-operator --timeout=3m`,
    blocks: ["README.md: kubectl vdb list -n pg-operator"],
    isRecording: true,
  },
  {
    what: "rights for a team",
    given: "kubectl create namespace shop",
    blocks: [
      "docs/security.md: kubectl create rolebinding dev-databases -n shop --clusterrole=delphix-operator-developer --group=dev",
    ],
  },
];

const adminTest =
  "packages/engine/integration/admin.test.ts runs these commands of the engine; on a cluster a restore stops the engine that all tests stand on";

/** The blocks that do not run, and why. */
export const notRun: Readonly<Record<string, string>> = {
  "README.md: make demo": "it brings up a cluster of its own; the demo's parts have tests beside them",
  "README.md: make test": "it would run this test",
  "docs/development.md: export PATH=$PWD/node_modules/.bin:$PWD/.local/bin:$PATH CLUSTER_NAME=mine":
    "it brings up a second cluster, as e2e/cluster.test.ts does",
  "docs/operations.md: make images": "it needs a cluster of the user's, or a registry; scripts/test runs both scripts",
  "docs/operations.md: kubectl create namespace pg-operator": "cluster/stack/install.ts runs these commands before every e2e run",
  "charts/delphix-storage/README.md: kubectl create namespace delphix-storage": "the same commands",
  "docs/operations.md: make manifests": "integration/charts runs it against an API server: the cluster has the charts already",
  "docs/operations.md: kubectl create secret generic production-link -n delphix-storage --from-file=password=./link-password --from-file=ca.crt=./production-ca.crt":
    "it takes the reader's files; the e2e cluster's own Secret of this name is in use",
  "docs/operations.md: for namespace in pg-operator delphix-storage; do\n    kubectl create secret generic delphix-creds -n $namespace \\\n      --from-file=DCT_URL=./dct-url --from-file=DCT_KEY=./dct-key --from-file=ca.crt=./dct-ca.pem\n  done":
    "it needs a DCT of the reader's own",
  "docs/operations.md: kubectl delete postgresvdb --all -A":
    "it ends the installation that all tests stand on; e2e/upgrade.test.ts uninstalls one",
  'docs/operations.md: engine() { kubectl exec -i -n delphix-storage delphix-engine-0 -- node /app/main.mjs "$@"; }': adminTest,
  "docs/operations.md: engine backup - >engine-catalogue-$(date +%F).db": adminTest,
  "docs/operations.md: engine restore - <engine-catalogue-2026-11-26.db": adminTest,
  "docs/masking.md: python3 -m pip install --no-deps --target=/opt/masking pganonymize==0.13.0 faker==40.63.0 parmap==1.7.0 pgcopy==1.6.2 psycopg2-binary==2.9.13 pytz==2026.6 pyyaml==6.0.4 tqdm==4.70.1":
    "packages/operator/integration/masking.test.ts runs it into a folder of its own",
  "docs/postgresvdb.md: kubectl delete namespace pg-operator":
    "it shows a refusal; e2e/schedules.test.ts has a protected database of its own",
};
