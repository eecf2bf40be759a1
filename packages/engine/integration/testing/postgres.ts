import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "kube-runtime/testing";
import type { Scratch } from "./scratch.ts";

export const password = "a password: with \\ and spaces";
const environment = { PATH: "/usr/bin:/bin", LC_ALL: "C", PGPASSWORD: password, PGCONNECT_TIMEOUT: "5" };

/** A running server with password `password` for user postgres. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** Everything the server has said. */
  readonly log: () => string;
  sql(statement: string): string;
}

/** initdb wants a user that the machine knows; the clones run as 999, as in the image. */
export const sourceOwner = 65534;
export const cloneOwner = 999;

/** A "production" database in `<scratch>/<name>`: pgbench tables, and one pg_hba line for the link. */
export async function startSource(
  scratch: Scratch,
  name: string,
  scale: number,
  settings: readonly string[] = [],
  { unseen, initdb = [] }: { readonly unseen?: string; readonly initdb?: readonly string[] } = {},
): Promise<Server> {
  const data = join(scratch.path, name, "data");
  mkdirSync(join(scratch.path, name));
  chownSync(join(scratch.path, name), sourceOwner, sourceOwner);
  const passwordFile = join(scratch.path, `${name}-password`);
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const init = [
    "-D",
    data,
    "-U",
    "postgres",
    "--auth=scram-sha-256",
    `--pwfile=${passwordFile}`,
    "-E",
    "UTF8",
    "--locale=C",
    "-N",
    ...initdb,
  ];
  execFileSync(program(scratch, "initdb"), init, {
    uid: sourceOwner,
    gid: sourceOwner,
    env: environment,
    stdio: "pipe",
    cwd: "/",
  });
  appendFileSync(join(data, "pg_hba.conf"), "host replication all 127.0.0.1/32 scram-sha-256\n");
  const server = await startServer(scratch, data, sourceOwner, ["fsync=off", ...settings], unseen);
  if (scale > 0) runClient(scratch, "pgbench", server.port, ["-i", "-q", "-s", String(scale)]);
  return server;
}

/** A source that was stopped, at the address that it had. */
export const startSourceAgain = (
  scratch: Scratch,
  name: string,
  port: number,
  settings: readonly string[] = [],
): Promise<Server> =>
  startServer(scratch, join(scratch.path, name, "data"), sourceOwner, ["fsync=off", ...settings], undefined, port);

/** A server on the data of a VDB. Its log tells whether it had to recover. */
export const startOnClone = (scratch: Scratch, exportedFolder: string, owner = cloneOwner): Promise<Server> =>
  startServer(scratch, join(exportedFolder, "data"), owner, []);

/** In the folder `unseen`, which has to be there, the server has files of its own that nobody else sees, as on another machine. */
async function startServer(
  scratch: Scratch,
  data: string,
  owner: number,
  settings: readonly string[],
  unseen?: string,
  formerPort?: number,
): Promise<Server> {
  const port = formerPort ?? (await freePort());
  const all = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=16MB", ...settings];
  const as = ["setpriv", "--reuid", `${owner}`, "--regid", `${owner}`, "--clear-groups", "--", program(scratch, "postgres")];
  const mount = `mount -t tmpfs -o uid=${owner},gid=${owner},mode=700 none "${unseen}" && exec "$@"`;
  const [first = "", ...rest] = [
    ...(unseen === undefined ? [] : ["unshare", "--mount", "--propagation", "slave", "--", "sh", "-c", mount, "sh"]),
    ...as,
  ];
  const child = spawn(first, [...rest, "-D", data, ...all.flatMap((one) => ["-c", one])], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
    cwd: "/",
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (said += text));
  const exited = once(child, "exit");
  for (let left = 2400; !said.includes("ready to accept connections"); left -= 1) {
    if (left === 0 || child.exitCode !== null) throw new Error(`PostgreSQL on ${data} does not start:\n${said}`);
    await sleep(50);
  }
  return {
    port,
    log: () => said,
    sql: (statement) => runClient(scratch, "psql", port, ["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]).trim(),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGINT");
      await exited;
    },
  };
}

/** psql, pgbench …: what it prints. */
export const runClient = (scratch: Scratch, name: string, port: number, args: readonly string[]): string =>
  execFileSync(program(scratch, name), ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", ...args, "postgres"], {
    env: environment,
    encoding: "utf8",
    stdio: "pipe",
  });

export const program = (scratch: Scratch, name: string): string => join(scratch.postgresDir, String(scratch.major), "bin", name);

/** Rows and content of the pgbench tables, as one line that two databases can be compared by. */
export const contentOf = (server: Server): string =>
  server.sql("SELECT count(*), sum(hashtext(a::text)::bigint) FROM pgbench_accounts a");
