import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Health = AsyncDisposable & { readonly port: number };

/** Answers /healthz for the kubelet's probes as long as the process's event loop turns. */
export async function serveHealth(port: number): Promise<Health> {
  const server = createServer((request, response) => {
    const known = request.url === "/healthz";
    response.writeHead(known ? 200 : 404, { "content-type": "text/plain" }).end(known ? "ok\n" : "not found\n");
  });
  server.listen(port);
  await once(server, "listening");
  const address = server.address();
  return {
    port: isAddress(address) ? address.port : port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === "object" && address !== null;
