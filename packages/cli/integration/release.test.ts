/**
 * What a release holds, run on machines that have nothing else; krew's rules for its manifest. The release itself is made in the
 * full tier: its executable takes long. Otherwise the program alone is, and runs on such a machine.
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { applyVdb, type Bench, makePassword, newNamespace, startBench } from "@vdb/operator/testing";
import { isFullTier } from "kube-runtime/testing";
import { parse, stringify } from "yaml";
import { buildProgram } from "../build.ts";
import { krewManifest } from "../src/release/krew-manifest.ts";
import { type BareMachine, makeBareMachine } from "./testing/bare-machine.ts";
import { type KrewManifest, krewProblems } from "./testing/krew-rules.ts";

const address = "https://releases.test/v0.1.0";
const folder = mkdtempSync(join(tmpdir(), "kubectl-vdb-"));
after(() => rmSync(folder, { recursive: true }));
const release = join(folder, "release");
const kubectl = execFileSync("which", ["kubectl"], { encoding: "utf8" }).trim();
const sha256Of = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
/** What the program promises to run on; the oldest is a devDependency of kube-runtime, the newest the project's own. */
const nodes = { 24: join(import.meta.dirname, "../../runtime/node_modules/node/bin/node"), 26: process.execPath };

/** Without the API server, as on a machine that has no network. */
function worksAlone({ run }: BareMachine): void {
  const dry = run(["kubectl", "vdb", "refresh", "orders", "-n", "shop", "--dry-run=client", "-o", "yaml"], "alone");
  match(dry.stdout, /^kind: VDBRefresh$/mu, dry.stderr);
  equal(run(["kubectl", "vdb", "--version"], "alone").stdout, "0.1.0\n");
  equal(run(["kubectl", "vdb", "list"], "alone").exitCode, 1);
}

/** kubectl finds the plugin by its name alone, and it reaches the API server. */
function works(machine: BareMachine): void {
  deepEqual(machine.run(["kubectl", "vdb", "list", "-n", "shop", "-o", "name"]), {
    exitCode: 0,
    stdout: "postgresvdb.core.delphix.com/orders\n",
    stderr: "",
  });
  worksAlone(machine);
}

test("the program needs Node.js and nothing of the repository, and goes where kubectl's flags say", async () => {
  const program = await buildProgram(join(folder, "bundle"));
  const kubeconfig = join(folder, "kubeconfig");
  const ports = { nowhere: 1, elsewhere: 2 };
  const names = Object.entries(ports);
  const clusters = names.map(([name, port]) => ({ name, cluster: { server: `https://127.0.0.1:${port}` } }));
  const contexts = names.map(([name]) => ({ name, context: { cluster: name, user: "nobody", namespace: `of-${name}` } }));
  const users = [{ name: "nobody", user: { token: "none" } }];
  const config = { "current-context": "nowhere", clusters, contexts, users };
  writeFileSync(kubeconfig, stringify({ apiVersion: "v1", kind: "Config", ...config }));
  const programs = { env: "/usr/bin/env", kubectl, node: process.execPath, "kubectl-vdb": program };
  const machine = makeBareMachine(join(folder, "alone"), programs, kubeconfig);
  worksAlone(machine);
  const says = (...flags: readonly string[]): string => machine.run(["kubectl", "vdb", "list", ...flags]).stderr;
  match(says(), / of-nowhere: .* 127\.0\.0\.1:1\n/u);
  match(says("--context", "elsewhere"), / of-elsewhere: .* 127\.0\.0\.1:2\n/u);
  match(says("--context", "elsewhere", "-n", "shop"), / shop: .* 127\.0\.0\.1:2\n/u);
  match(says("--context", "nothing"), /has no cluster for its context "nothing"/u);
});

const anySha256 = "a".repeat(64);
const archives = [
  {
    file: "kubectl-vdb.tar.gz",
    sha256: anySha256,
    platforms: [
      { os: "linux", arch: "amd64" },
      { os: "darwin", arch: "arm64" },
    ],
  },
];
const madeUp = stringify(krewManifest({ version: "0.1.0", address, archives }), { lineWidth: 0 });
test("krew would take a manifest as it is written", () => deepEqual(krewProblems("vdb", parse(madeUp)), []));
for (const { breaks, how } of [
  { breaks: /apiVersion/u, how: (text: string) => text.replace("v1alpha2", "v1") },
  { breaks: /named vdb/u, how: (text: string) => text.replace("name: vdb", "name: kubectl-vdb") },
  { breaks: /version 0\.1\.0/u, how: (text: string) => text.replace("version: v", "version: ") },
  { breaks: /sha256/u, how: (text: string) => text.replace(/sha256: \w/u, "sha256: X") },
  {
    breaks: /two platforms .* linux\/amd64/u,
    how: (text: string) => text.replace("os: darwin", "os: linux").replace("arch: arm64", "arch: amd64"),
  },
  { breaks: /no machine/u, how: (text: string) => text.replace("os: darwin", "os: macos") },
  { breaks: /short description/u, how: (text: string) => text.replace(/shortDescription: .*/u, 'shortDescription: ""') },
])
  test(`krew would refuse a manifest for ${breaks.source}`, () => {
    match(krewProblems("vdb", parse(how(madeUp))).join("\n"), breaks);
  });

const unpacked = (what: string): string => {
  const target = mkdtempSync(join(folder, `${what}-`));
  execFileSync("tar", ["--extract", "--file", join(release, `kubectl-vdb-0.1.0-${what}.tar.gz`), "-C", target]);
  return target;
};

describe("a release of kubectl vdb", { timeout: 300_000, skip: !isFullTier }, () => {
  const running: { bench?: Bench } = {};
  before(async () => {
    execFileSync("node", [join(import.meta.dirname, "../release.ts"), release, address]);
    running.bench = await startBench();
    await newNamespace(running.bench.client, "shop");
    await makePassword(running.bench.client, "shop");
    await applyVdb(running.bench.client, "shop", "orders");
  });
  after(async () => await running.bench?.[Symbol.asyncDispose]());
  const machineOf = (name: string, programs: Readonly<Record<string, string>>) =>
    makeBareMachine(join(folder, name), { env: "/usr/bin/env", kubectl, ...programs }, running.bench?.server.kubeconfig ?? "");

  test("the checksums are those of its files", () => {
    const lines = readFileSync(join(release, "SHA256SUMS"), "utf8").trimEnd().split("\n");
    equal(lines.length, 3);
    for (const line of lines) {
      const [sha256, file = ""] = line.split("  ");
      equal(sha256Of(join(release, file)), sha256, file);
    }
  });

  test("krew's rules find nothing in the manifest, and its archives are those of the release", () => {
    const manifest: KrewManifest = parse(readFileSync(join(release, "vdb.yaml"), "utf8"));
    deepEqual(krewProblems("vdb", manifest), []);
    for (const { uri, sha256, bin, selector } of manifest.spec.platforms) {
      const archive = join(release, basename(uri));
      equal(uri, `${address}/${basename(uri)}`);
      equal(sha256Of(archive), sha256, JSON.stringify(selector));
      const listing = execFileSync("tar", ["--list", "--verbose", "--file", archive], { encoding: "utf8" });
      match(listing, new RegExp(`^-rwxr-xr-x .* ${bin}$`, "mu"));
      match(listing, / LICENSE$/mu);
    }
  });

  for (const [major, node] of Object.entries(nodes)) {
    test(`the npm package runs where Node.js ${major} is and nothing else`, () => {
      match(execFileSync(node, ["--version"], { encoding: "utf8" }), new RegExp(`^v${major}\\.`, "u"));
      const prefix = join(folder, `npm-${major}`);
      const path = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.endsWith("node_modules/.bin"));
      const words = ["install", "--global", "--offline", "--prefix", prefix, join(release, "kubectl-vdb-0.1.0.tgz")];
      execFileSync("npm", words, { env: { ...process.env, PATH: path.join(delimiter) } });
      works(machineOf(`npm-on-${major}`, { node, "/usr/local": prefix }));
    });

    test(`the archive for other machines runs where Node.js ${major} is and nothing else`, () => {
      works(machineOf(`archive-on-${major}`, { node, "kubectl-vdb": join(unpacked("node"), "kubectl-vdb") }));
    });
  }

  test("the executable runs where no Node.js is", () => {
    const machine = machineOf("without-node", { "kubectl-vdb": join(unpacked("linux-amd64"), "kubectl-vdb") });
    equal(machine.run(["node", "--version"]).exitCode, 127);
    works(machine);
  });
});
