import { equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { ApiError, isApiError } from "kube-runtime";
import { fencedDct } from "./fenced-dct.ts";

test("an operator that no longer leads asks nothing of DCT: not a byte is sent", async (t) => {
  let bytes = 0;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      socket.destroy();
    });
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has an address and a port
  const { port } = server.address() as AddressInfo;
  const connect = fencedDct({
    assertLeading: (what) => {
      throw new ApiError({ kind: "fenced" }, `${what}: not the leader`);
    },
  });
  await using client = connect({ url: `http://127.0.0.1:${port}/v3`, apiKey: "key" });
  await rejects(client.enableVdb("1"), (error: unknown) => isApiError(error, "fenced"));
  equal(bytes, 0);
});
