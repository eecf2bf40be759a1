import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { createDctClient, type DctClient } from "@vdb/dct";
import { type Program, startProgram } from "./program.ts";
import type { Scratch } from "./scratch.ts";
import type { Source } from "./source.ts";

const main = new URL("../../../engine/src/main.ts", import.meta.url).pathname;

/** The embedded engine as a process, on `<scratch>/engine`. */
export interface Engine extends Program {
  readonly client: DctClient;
  /** What a Secret delphix-creds holds. */
  readonly credentials: Readonly<Record<"DCT_URL" | "DCT_KEY" | "ca.crt", string>>;
}

export const nodeName = "test-node";
export const poolDir = (scratch: Scratch): string => join(scratch.path, "engine/pool");

/** The group `xfs` of the tests says so. */
const fileSystem = process.env["POOL"] ?? "auto";

/** `reserve` more than the pool has makes it full. */
export function configureEngine({ path }: Scratch, source: Source, reserve = "32Mi"): void {
  const dsources = [{ name: "production", host: "127.0.0.1", port: source.port, user: "postgres" }];
  writeFileSync(join(path, "config.yaml"), JSON.stringify({ pool: { size: "512Mi", reserve, fileSystem }, dsources }));
}

export async function startEngine(scratch: Scratch, source: Source, more: readonly string[] = []): Promise<Engine> {
  const { path } = scratch;
  const program = startProgram(main, [
    `--config=${join(path, "config.yaml")}`,
    `--data-dir=${join(path, "engine")}`,
    `--postgres-dir=${source.postgresDir}`,
    `--node-name=${nodeName}`,
    "--listen=127.0.0.1:0",
    ...more,
  ]);
  await program.logged("the engine has started");
  const read = (name: string): string => readFileSync(join(path, "engine", name), "utf8").trim();
  const port = /"port":(\d+)/u.exec(program.log())?.[1];
  const credentials = { DCT_URL: `https://localhost:${port}`, DCT_KEY: keyOf(path), "ca.crt": read("tls.crt") };
  const client = createDctClient({ url: credentials.DCT_URL, apiKey: credentials.DCT_KEY, caPem: credentials["ca.crt"] });
  const end: Program["end"] = async (signal) => {
    await client[Symbol.asyncDispose]();
    return await program.end(signal);
  };
  return { ...program, client, credentials, end, [Symbol.asyncDispose]: async () => void (await end("SIGTERM")) };
}

/** Made with the first start, and valid as long as the catalogue is there. */
function keyOf(path: string): string {
  const file = join(path, "api-key");
  if (!existsSync(file))
    writeFileSync(file, execFileSync(process.execPath, [main, "keys-add", "tests", `--data-dir=${join(path, "engine")}`]));
  return readFileSync(file, "utf8").trim();
}

/** The dSource's first snapshot, without which nothing can be provisioned. */
export async function waitForSnapshot({ client, log }: Engine): Promise<void> {
  for (let left = 300; left > 0; left -= 1) {
    if ((await client.searchSnapshots()).length > 0) return;
    await sleep(200);
  }
  throw new Error(`no snapshot:\n${log()}`);
}
