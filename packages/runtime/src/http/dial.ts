import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { TlsSettings } from "../connection/connection.ts";

const connectTimeoutMs = 10_000;

/** Opens a TLS connection, offering HTTP/2 first unless told otherwise. */
export function dialTls(server: URL, tls: TlsSettings, protocols: readonly string[] = ["h2", "http/1.1"]): Promise<TLSSocket> {
  const host = hostOf(server);
  const settings = { ...tls, host, port: portOf(server), ALPNProtocols: [...protocols], noDelay: true };
  // An IP address must not be sent as server name (RFC 6066), and without one node sends none.
  return opened(connectTls(settings), "secureConnect", server);
}

export const dialTcp = (server: URL): Promise<Socket> =>
  opened(connectTcp({ host: hostOf(server), port: portOf(server), noDelay: true }), "connect", server);

export const hostOf = (server: URL): string => server.hostname.replace(/^\[|\]$/gu, "");
export const portOf = (server: URL): number => Number(server.port || (server.protocol === "https:" ? 443 : 80));

function opened<S extends Socket>(socket: S, event: "connect" | "secureConnect", server: URL): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`no connection to ${server.host} within 10 s`)), connectTimeoutMs);
    const settle = (): void => {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.off("close", closed);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const closed = (): void => fail(new Error(`${server.host} closed the connection while it was being opened`));
    socket.once("error", fail);
    socket.once("close", closed);
    socket.once(event, () => {
      settle();
      resolve(socket);
    });
  });
}
