import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that a kernel gives to outgoing connections: one of these could take a server's port before it listens, and
 * again while it restarts. Below the node ports of Kubernetes too.
 */
const [lowest, highest] = [10_000, 30_000];

/** A port of the loopback that nobody listens on, and that no outgoing connection will take. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of 100 ports between ${lowest} and ${highest} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = new Promise<boolean>((resolve) => {
    server.once("listening", () => resolve(true)).once("error", () => resolve(false));
  });
  server.listen(port, "127.0.0.1");
  if (!(await free)) return false;
  server.close();
  await once(server, "close");
  return true;
}
