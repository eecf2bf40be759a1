import type { Connection } from "./connection.ts";

/** A connection with a token that does not change. */
export function tokenConnection(options: {
  readonly server: URL;
  readonly token: string;
  readonly ca: string;
  readonly servername?: string;
}): Connection {
  const { server, token, ca, servername } = options;
  return {
    server,
    pathPrefix: "",
    namespace: "default",
    tls: async () => (servername === undefined ? { ca } : { ca, servername }),
    headers: async () => ({ authorization: `Bearer ${token}` }),
  };
}
