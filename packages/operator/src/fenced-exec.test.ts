import { equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { ApiError, type Connection, isApiError } from "kube-runtime";
import { fencedExec } from "./fenced-exec.ts";

test("an operator that no longer leads runs nothing in a pod: not a byte is sent", async (t) => {
  let bytes = 0;
  const server = createServer((socket) => {
    socket.on("data", (chunk) => (bytes += chunk.length));
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has an address and a port
  const { port } = server.address() as AddressInfo;
  const connection: Connection = {
    server: new URL(`http://127.0.0.1:${port}`),
    pathPrefix: "",
    namespace: "n",
    headers: async () => ({}),
    tls: async () => ({}),
  };
  const exec = fencedExec(connection, {
    assertLeading: () => {
      throw new ApiError({ kind: "fenced" }, "not the leader");
    },
  });
  const request = { namespace: "n", pod: "p", container: "c", command: ["true"] };
  await rejects(exec(request, t.signal), (error: unknown) => isApiError(error, "fenced"));
  await new Promise((resolve) => server.close(resolve));
  equal(bytes, 0);
});
