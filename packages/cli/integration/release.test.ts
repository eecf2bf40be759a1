/** What a release holds, run on machines that have nothing else; krew's rules for its manifest. */
import { deepEqual, equal, match } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { applyVdb, type Bench, makePassword, newNamespace, startBench } from "@vdb/operator/testing";
import { parse } from "yaml";
import { makeBareMachine } from "./testing/bare-machine.ts";
import { type KrewManifest, krewProblems } from "./testing/krew-rules.ts";

const address = "https://releases.test/v0.1.0";
const folder = mkdtempSync(join(tmpdir(), "kubectl-vdb-"));
const release = join(folder, "release");
const kubectl = execFileSync("which", ["kubectl"], { encoding: "utf8" }).trim();
const sha256Of = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
const manifestOf = (): KrewManifest => parse(readFileSync(join(release, "vdb.yaml"), "utf8"));

describe("a release of kubectl vdb", { timeout: 300_000 }, () => {
  const running: { bench?: Bench } = {};
  before(async () => {
    execFileSync("node", [join(import.meta.dirname, "../release.ts"), release, address]);
    running.bench = await startBench();
    await newNamespace(running.bench.client, "shop");
    await makePassword(running.bench.client, "shop");
    await applyVdb(running.bench.client, "shop", "orders");
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await running.bench?.[Symbol.asyncDispose]();
  });
  const machineOf = (name: string, programs: Readonly<Record<string, string>>) =>
    makeBareMachine(join(folder, name), { env: "/usr/bin/env", kubectl, ...programs }, running.bench?.server.kubeconfig ?? "");

  /** kubectl finds the plugin by its name alone, it reaches the API server, and it needs no network where it asks nobody. */
  function worksOn({ run }: ReturnType<typeof machineOf>): void {
    deepEqual(run(["kubectl", "vdb", "list", "-n", "shop", "-o", "name"]), {
      exitCode: 0,
      stdout: "postgresvdb.core.delphix.com/orders\n",
      stderr: "",
    });
    const dry = run(["kubectl", "vdb", "refresh", "orders", "-n", "shop", "--dry-run=client", "-o", "yaml"], "alone");
    match(dry.stdout, /^kind: VDBRefresh$/mu, dry.stderr);
    equal(run(["kubectl", "vdb", "--version"], "alone").stdout, "0.1.0\n");
    equal(run(["kubectl", "vdb", "list"], "alone").exitCode, 1);
  }

  test("the checksums are those of its files", () => {
    const lines = readFileSync(join(release, "SHA256SUMS"), "utf8").trimEnd().split("\n");
    equal(lines.length, 3);
    for (const line of lines) {
      const [sha256, file = ""] = line.split("  ");
      equal(sha256Of(join(release, file)), sha256, file);
    }
  });

  test("krew's rules find nothing in the manifest, and its archives are those of the release", () => {
    const manifest = manifestOf();
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

  for (const { breaks, how } of [
    { breaks: /apiVersion/u, how: (text: string) => text.replace("v1alpha2", "v1") },
    { breaks: /named vdb/u, how: (text: string) => text.replace("name: vdb", "name: kubectl-vdb") },
    { breaks: /version 0\.1\.0/u, how: (text: string) => text.replace("version: v", "version: ") },
    { breaks: /sha256/u, how: (text: string) => text.replace(/sha256: \w/u, "sha256: X") },
    { breaks: /two platforms .* linux\/amd64/u, how: (text: string) => text.replace("arch: arm64", "arch: amd64") },
    { breaks: /no machine/u, how: (text: string) => text.replace("os: darwin", "os: macos") },
    { breaks: /short description/u, how: (text: string) => text.replace(/shortDescription: .*/u, 'shortDescription: ""') },
  ])
    test(`krew would refuse a manifest for ${breaks.source}`, () => {
      const text = readFileSync(join(release, "vdb.yaml"), "utf8");
      match(krewProblems("vdb", parse(how(text))).join("\n"), breaks);
    });

  test("the npm package runs where Node.js is and nothing else", async () => {
    const path = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.endsWith("node_modules/.bin"));
    const words = ["install", "--global", "--offline", "--prefix", join(folder, "npm"), join(release, "kubectl-vdb-0.1.0.tgz")];
    execFileSync("npm", words, { env: { ...process.env, PATH: path.join(delimiter) } });
    worksOn(machineOf("with-node", { node: process.execPath, "/usr/local": join(folder, "npm") }));
  });

  test("the executable runs where no Node.js is", async () => {
    mkdirSync(join(folder, "alone"));
    execFileSync("tar", [
      "--extract",
      "--file",
      join(release, "kubectl-vdb-0.1.0-linux-amd64.tar.gz"),
      "-C",
      join(folder, "alone"),
    ]);
    const machine = machineOf("without-node", { "kubectl-vdb": join(folder, "alone/kubectl-vdb") });
    equal(machine.run(["node", "--version"]).exitCode, 127);
    worksOn(machine);
  });
});
