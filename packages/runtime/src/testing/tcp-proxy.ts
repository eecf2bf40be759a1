import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server, and does to the bytes what networks do. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Ends every connection with a TCP reset. */
  readonly reset: () => void;
  /** From now on nothing passes on the connections there are; nobody is told. New ones work. */
  readonly blackHole: () => void;
  /** New connections are refused until `accept`. */
  readonly refuse: () => void;
  readonly accept: () => void;
  /** New connections go to another server, as when a name or an address is given to it. */
  readonly leadTo: (port: number) => void;
  readonly connections: () => number;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const state = { refusing: false, port: targetPort };
  const server = createServer((near) => {
    if (state.refusing) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(state.port, "127.0.0.1");
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined); // a reset on purpose, or by the server: both ends close below
      socket.on("close", () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    connections: () => pairs.size,
    refuse: () => {
      state.refusing = true;
    },
    accept: () => {
      state.refusing = false;
    },
    leadTo: (port) => {
      state.port = port;
    },
    reset: () => {
      for (const [near, far] of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    blackHole: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        near.pause();
        far.pause();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
      server.close();
      await once(server, "close");
    },
  };
}
