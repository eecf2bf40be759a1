import { type Api, type Client, type Connection, createClient, httpApi } from "kube-runtime";
import type { ConnectionFlags, World } from "../world.ts";
import { MissingRight, namingMissingRights, type Right } from "./missing-right.ts";

/** One command's way to the cluster. */
export interface Session extends AsyncDisposable {
  readonly client: Client;
  readonly namespace: string;
  /** Whether the user may do it, by the API server's own word. */
  readonly may: (right: Right, signal: AbortSignal) => Promise<boolean>;
}

export async function openSession(world: World, flags: ConnectionFlags): Promise<Session> {
  const connection = impersonating(await world.connect(flags), flags.as);
  const api = httpApi(connection, { userAgent: "kubectl-vdb" });
  return {
    client: createClient(namingMissingRights(api), { fieldManager: "kubectl-vdb" }),
    namespace: flags.namespace ?? connection.namespace,
    may: (right, signal) => may(api, right, signal),
    [Symbol.asyncDispose]: api.close,
  };
}

function impersonating(connection: Connection, user: string | undefined): Connection {
  if (user === undefined) return connection;
  return { ...connection, headers: async () => ({ ...(await connection.headers()), "impersonate-user": user }) };
}

const accessReviews = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  namespaced: false,
} as const;

/** Every user that the API server knows may ask this of themselves. The review has no name, so it is no object of a client. */
async function may(api: Api, { verb, resource, subresource, namespace }: Right, signal: AbortSignal): Promise<boolean> {
  const { group, plural } = resource;
  const attributes = { verb, group, resource: plural, subresource, namespace };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: accessReviews.kind, spec: { resourceAttributes: attributes } };
  const answer = await api.call({ verb: "create", resource: accessReviews, query: {}, body, timeoutSeconds: 30 }, signal);
  const status = typeof answer === "object" && answer !== null && "status" in answer ? answer.status : undefined;
  return typeof status === "object" && status !== null && "allowed" in status && status.allowed === true;
}

/** Throws naming the right. For what another program would be refused. */
export async function assertRight(session: Session, right: Right, { as }: ConnectionFlags, signal: AbortSignal): Promise<void> {
  if (!(await session.may(right, signal))) throw new MissingRight(right, as ?? "you");
}

/** The same flags again, for kubectl. */
export function flagWords({ namespace, context, kubeconfig, as }: ConnectionFlags): readonly string[] {
  const given = { "-n": namespace, "--context": context, "--kubeconfig": kubeconfig, "--as": as };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

/** The same in a command that is proposed: ` -n shop --context test`. */
export const again = (flags: ConnectionFlags): string =>
  flagWords(flags)
    .map((word) => ` ${quoted(word)}`)
    .join("");

/** One word of a shell. */
export const quoted = (value: string): string => (/^[\w./:@=-]+$/u.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);
