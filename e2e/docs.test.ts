/** The commands that the documentation shows, as they stand there, on a real cluster. Full tier: they take minutes. */
import { equal } from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { testCluster, tryRun } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { type Block, consoleBlocks, runnable } from "./docs/console.ts";
import { type Session, sessions } from "./docs/plan.ts";
import { scrubbed } from "./kubectl-vdb/shown.ts";

const kubectl = await testCluster();
const clone = join(import.meta.dirname, "..");

/** What a reader has: a clone, kubectl, and curl that says when a server refuses. */
const prelude = `set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
curl() { command curl -fsS "$@"; }
`;

function blockNamed(name: string): Block {
  const page = name.slice(0, name.indexOf(": "));
  const found = consoleBlocks(page, readFileSync(join(clone, page), "utf8")).find(
    (block) => block.name === name || block.name.startsWith(`${name}\n`),
  );
  if (found === undefined) throw new Error(`the documentation has no block ${name}`);
  return found;
}

function scriptOf({ given = "", blocks, put = {}, isRecording = false }: Session): string {
  const commands = blocks.flatMap((name) =>
    blockNamed(name).commands.map((command) => `echo ${quoted(command)} >&2\n${runnable(put[command] ?? command)}`),
  );
  const begin = isRecording ? [`{ ${given}\n} >/dev/null`, "exec 2>&1"] : [given];
  return [prelude, ...begin, ...commands].join("\n");
}
/** Numbers of rows are the source's. */
const shown = (text: string): string => scrubbed(text).replaceAll(/\b\d{4,}\b/gu, "<n>");
const quoted = (text: string): string => `'$ ${text.replaceAll("'", "'\\''")}'`;

describe("the documentation's commands", { timeout: 900_000, skip: !isFullTier }, () => {
  const folder = mkdtempSync(join(tmpdir(), "reader-"));
  const home = join(folder, "home");
  mkdirSync(join(home, ".local/bin"), { recursive: true });
  // As a clone, but for what commands write into it.
  for (const name of readdirSync(clone).filter((one) => !one.startsWith("."))) symlinkSync(join(clone, name), join(folder, name));
  mkdirSync(join(folder, ".local"));
  symlinkSync(join(clone, ".local/bin"), join(folder, ".local/bin"));
  const kubeconfig = join(folder, "kubeconfig"); // a copy: a session may choose its namespace
  after(async () => {
    rmSync(folder, { recursive: true });
    await kubectl.run(["delete", "namespace", "docs-driver", "shop", "--ignore-not-found", "--timeout=180s"]);
    for (const kind of ["volumesnapshot", "postgrestask", "task", "vdbsnapshot", "vdbrefresh", "vdbrewind", "postgresvdb"])
      await kubectl.run(["delete", kind, "--all", "-n", "pg-operator", "--timeout=180s"]);
    await kubectl.run(["delete", "secret", "my-db-password", "-n", "pg-operator", "--ignore-not-found"]);
  });

  for (const session of sessions)
    test(session.what, async () => {
      copyFileSync(kubectl.kubeconfig, kubeconfig);
      const path = `${home}/.local/bin:${clone}/node_modules/.bin:${clone}/.local/bin:${process.env["PATH"] ?? ""}`;
      const env = { KUBECONFIG: kubeconfig, KUBERC: "off", HOME: home, PATH: path };
      const file = join(folder, "session.sh"); // not the standard input: psql would read it
      writeFileSync(file, scriptOf(session));
      const { exitCode, stdout, stderr } = await tryRun("bash", [file], { cwd: folder, env });
      equal(exitCode, 0, `${stdout.slice(-2000)}\n${stderr.slice(-4000)}`);
      if (session.isRecording ?? false) equal(shown(stdout), shown(session.blocks.map((name) => blockNamed(name).text).join("")));
    });
});
