/** What becomes of a call whose connection ends under it: only who reads may ask again. */
import { deepEqual, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createDctClient, type DctClient } from "./client.ts";
import { DctError } from "./errors.ts";

interface Dct extends AsyncDisposable {
  readonly client: DctClient;
  /** The calls that it has carried out. */
  readonly done: string[];
}

/** Ends a connection, unread, on the call that `ends` names by its number on that connection. */
async function startDct(ends: (numberOnConnection: number) => boolean): Promise<Dct> {
  const [done, calls]: [string[], WeakMap<Socket, number>] = [[], new WeakMap()];
  const server = createServer(({ method = "", url = "", socket }, response) => {
    const count = (calls.get(socket) ?? 0) + 1;
    calls.set(socket, count);
    if (ends(count)) {
      socket.destroy();
      return;
    }
    const [path = ""] = url.split("?");
    done.push(`${method} ${path}`);
    response.end(JSON.stringify({ id: "1", items: [], job: { id: "j", status: "PENDING" } }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = createDctClient({ url: `http://127.0.0.1:${port}/v3`, apiKey: "k" });
  return {
    client,
    done,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const unreachable = (unsent: boolean) => (error: unknown) =>
  error instanceof DctError && error.kind === "unreachable" && error.unsent === unsent;

test("DCT ends a connection that was idle just as it is used again: nobody notices, and nothing is done twice", async () => {
  await using dct = await startDct((call) => call > 1);
  await dct.client.searchVdbs();
  await dct.client.snapshotVdb("1");
  await dct.client.searchVdbs();
  await dct.client.refreshBySnapshot("1", {});
  await dct.client.getVdb("1");
  await dct.client.deleteVdb("1");
  deepEqual(dct.done, [
    "POST /v3/vdbs/search",
    "POST /v3/vdbs/1/snapshots",
    "POST /v3/vdbs/search",
    "POST /v3/vdbs/1/refresh_by_snapshot",
    "GET /v3/vdbs/1",
    "POST /v3/vdbs/1/delete",
  ]);
});

test("a call on a connection of its own that ends without an answer may have run: it is not sent again", async () => {
  const seen: number[] = [];
  await using dct = await startDct((call) => seen.push(call) > 0);
  await rejects(dct.client.snapshotVdb("1"), unreachable(false));
  deepEqual(seen, [1]);
});

test("without a connection nothing was sent, and the error says so", async () => {
  await using nobody = createDctClient({ url: "http://127.0.0.1:1/v3", apiKey: "k" });
  await rejects(nobody.snapshotVdb("1"), unreachable(true));
});
