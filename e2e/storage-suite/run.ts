/**
 * Kubernetes' own storage tests for this driver, on the cluster of CLUSTER_NAME with its images loaded: make storage-suite.
 *
 *   node e2e/storage-suite/run.ts [slow | --focus=… | --skip=…]
 *
 * Their claims carry no annotations, so for this run the chart's default is a dSource of empty volumes. Prints ginkgo's output, then what was
 * skipped, counted by its reason; the report is in .local/storage-suite.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { installCharts, items, parseJson, testCluster, text } from "@vdb/cluster";

const here = import.meta.dirname;
const clone = join(here, "../..");
const reports = join(clone, ".local/storage-suite");
const programs = execFileSync(join(clone, "cluster/paths"), ["storage-suite"], { encoding: "utf8" }).trim();
/** Tests that wait more than they work: four at once take two cores. */
const processes = 4;

const slow = String.raw`\[Slow\]`;
/** What neither a run of the quick tests nor one of the slow ones has. */
const left = [
  String.raw`\[Disruptive\]`, // a kubelet restarted by ssh; volumes.test.ts does it in the cluster's namespaces
  "any volume data source", // a populator of its own, whose images are not built here; nothing of the driver
  "should not mount / map unused volumes", // enters the mounts of process 1, which here is the machine's and not the node's
];

const kubectl = await testCluster();
await installCharts(kubectl, { storageValues: { csi: { defaults: { sourceDBName: "empty" } } } });
mkdirSync(reports, { recursive: true });
try {
  process.exitCode = await runSuite(process.argv.slice(2));
} finally {
  await installCharts(kubectl);
}
for (const [reason, count] of skipped()) console.log(`storage-suite: skipped ${count}: ${reason}`);

async function runSuite(more: readonly string[]): Promise<number> {
  const { KUBECONFIG: _, ...environment } = process.env;
  const suite = spawn(
    join(programs, "ginkgo"),
    [
      `--procs=${processes}`,
      "--timeout=2h",
      "--no-color",
      "--poll-progress-after=0s",
      `--output-dir=${reports}`,
      "--json-report=report.json",
      ...selection(more),
      join(programs, "storage.test"),
      "--",
      "--provider=skeleton",
      `--kubeconfig=${kubectl.kubeconfig}`,
      `--storage.testdriver=${join(here, "driver.yaml")}`,
    ],
    { stdio: "inherit", env: { ...environment, KUBE_TEST_REPO_LIST: join(here, "images.yaml") } },
  );
  await once(suite, "exit");
  return suite.exitCode ?? 1;
}

/** Without arguments the quick tests; each run names ours, because what they are made of brings others along, of pods and nodes. */
function selection(more: readonly string[]): readonly string[] {
  const [ours, option] = ["External.Storage", "--focus="];
  if (more.length === 0) return [`${option}${ours}`, `--skip=${[...left, slow].join("|")}`];
  if (more[0] === "slow") return [`${option}${ours}.*${slow}`, `--skip=${left.join("|")}`, ...more.slice(1)];
  const chosen = more.map((one) => one.replace(option, `${option}${ours}.*`));
  return chosen.some((one) => one.startsWith(option)) ? chosen : [...chosen, `${option}${ours}`];
}

/** Why tests that were begun were not run to their end: most often that the driver does not claim a capability. */
function skipped(): readonly (readonly [string, number])[] {
  const [report] = items(parseJson(readFileSync(join(reports, "report.json"), "utf8")));
  const counts = new Map<string, number>();
  for (const spec of items(report, "SpecReports")) {
    const reason = text(spec, "Failure", "Message");
    if (text(spec, "State") === "skipped" && reason !== "") counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].toSorted(([, one], [, other]) => other - one);
}
