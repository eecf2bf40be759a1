/**
 * Who may connect. While the gate is shut only the local socket is answered, which nobody reaches without `pods/exec`;
 * afterwards hosts too (127.0.0.1 included: a port-forward arrives there), with the password, and without TLS if that is allowed.
 *
 * The first line names the content the file was written for: the start script uses the shut gate when it reads another one,
 * so that a file from before a refresh never admits a client to unmasked data.
 */
export function hbaFile(contentId: string, gate: "shut" | "open", plain: "Allow" | "Refuse" = "Allow"): string {
  const host = plain === "Allow" ? "host" : "hostssl";
  const hosts = gate === "shut" ? ["# The gate is shut: no host."] : [`${host} all all all scram-sha-256`];
  return [hbaMark(contentId), "local all all trust", "local replication all trust", ...hosts, ""].join("\n");
}

export const hbaMark = (contentId: string): string => `# content ${contentId}`;

/** For which content a file was written; undefined: it does not say. */
export const hbaContent = (file: string): string | undefined => /^# content (\S+)\n/u.exec(file)?.[1];
