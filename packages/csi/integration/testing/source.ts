import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "kube-runtime/testing";
import type { Scratch } from "./scratch.ts";

const clone = new URL("../../../../", import.meta.url).pathname;
const environment = { PATH: "/usr/bin:/bin", LC_ALL: "C" };
/** initdb wants a user that the machine knows: nobody. */
const owner = { uid: 65534, gid: 65534 } as const;

export interface Source extends AsyncDisposable {
  readonly port: number;
  /** `<major>/bin/…`, as the engine's flag --postgres-dir wants it. */
  readonly postgresDir: string;
}

/** A "production" PostgreSQL on the loopback, empty but for what initdb makes: enough to be linked. */
export async function startSource({ path }: Scratch): Promise<Source> {
  const postgresDir = copyPostgres(path);
  const program = (name: string): string => join(postgresDir, "16/bin", name);
  const folder = join(path, "production");
  mkdirSync(folder);
  chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  const as = { ...owner, env: environment, cwd: "/" } as const;
  execFileSync(program("initdb"), ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "-N"], {
    ...as,
    stdio: "pipe",
  });
  const port = await freePort();
  const settings = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=16MB", "fsync=off"];
  const server = spawn(program("postgres"), ["-D", data, ...settings.flatMap((one) => ["-c", one])], {
    ...as,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => void (said += text));
  const exited = once(server, "exit");
  for (let left = 2400; !said.includes("ready to accept connections"); left -= 1) {
    if (left === 0 || server.exitCode !== null) throw new Error(`PostgreSQL does not start:\n${said}`);
    await sleep(50);
  }
  return {
    port,
    postgresDir,
    [Symbol.asyncDispose]: async () => {
      server.kill("SIGINT");
      await exited;
    },
  };
}

/** The cache lies in a home folder that other users cannot enter, and the server does not run as root. */
function copyPostgres(path: string): string {
  const tree =
    process.env["POSTGRES16"] ?? execFileSync(join(clone, "cluster/paths"), ["postgres16"], { encoding: "utf8" }).trim();
  if (!existsSync(join(tree, "bin/pg_basebackup"))) throw new Error(`there is no PostgreSQL 16 in ${tree}: run make tools`);
  const folder = join(path, "postgresql");
  mkdirSync(folder);
  cpSync(tree, join(folder, "16"), { recursive: true, verbatimSymlinks: true });
  return folder;
}
