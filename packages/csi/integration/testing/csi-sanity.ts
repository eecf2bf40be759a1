import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { claimNamespace } from "./kubernetes.ts";
import type { Scratch } from "./scratch.ts";

const program = new URL("../../../../.local/bin/csi-sanity", import.meta.url).pathname;

/** Runs the conformance suite of the CSI project, written in Go with its stock client, for volumes of one claim. */
export async function runCsiSanity(
  { path }: Scratch,
  socket: string,
  claim: string,
): Promise<{ passed: number; failed: number; output: string }> {
  if (!existsSync(program)) throw new Error(`${program} is missing: cluster/tools --tests builds it`);
  const parameters = join(path, "sanity.json");
  const metadata = { "csi.storage.k8s.io/pvc/namespace": claimNamespace, "csi.storage.k8s.io/pvc/name": claim };
  writeFileSync(parameters, JSON.stringify(metadata));
  const folder = join(path, "kubelet/sanity");
  mkdirSync(folder, { recursive: true });
  const flags = {
    "csi.endpoint": socket,
    "csi.mountdir": join(folder, "mount"),
    "csi.stagingdir": join(folder, "staging"),
    "csi.testvolumeparameters": parameters,
  };
  const suite = spawn(program, [...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`), "--ginkgo.no-color"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [suite.stdout, suite.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => void (output += text));
  await once(suite, "close");
  const [, passed = "0", failed = "1"] = /(\d+) Passed \| (\d+) Failed/u.exec(output) ?? [];
  return { passed: Number(passed), failed: Number(failed), output };
}
