import { actionKinds, postgresVDB } from "@vdb/api";
import { type Api, type ApiCall, interceptApi, isApiError, type Resource, resourceName } from "kube-runtime";
import { Complaint } from "../complaint.ts";

/** What somebody may or may not do. */
export interface Right {
  readonly verb: string;
  readonly resource: Pick<Resource, "group" | "plural" | "namespaced">;
  readonly subresource?: string;
  /** Left out of a namespaced resource: in all namespaces. */
  readonly namespace?: string;
}

/** The API server knows who asks, and does not let them: nothing is said of whether the object exists. */
export class MissingRight extends Complaint {
  readonly verb: string;

  constructor(right: Right, user: string) {
    super(`${user} may not ${right.verb} ${resourceOfRight(right)} ${place(right)}`, adviceFor(right));
    this.verb = right.verb;
  }
}

/**
 * Turns refusals into words that name the right. Other answers of 403 (a quota, an admission webhook, a namespace that is going)
 * keep the API server's own: no right would help there.
 */
export const namingMissingRights = (api: Api): Api =>
  interceptApi(api, {
    call: (call, next) => next().catch((error: unknown) => Promise.reject(withRight(call, error))),
    watch: (call, next) => next().catch((error: unknown) => Promise.reject(withRight(call, error))),
  });

/** How the API server's authorizer begins: `… is forbidden: User "jane" cannot list resource "pods" …`. */
const refusal = /\bUser "(?<user>[^"]*)" cannot (?<verb>\w+) resource "/u;
/** `--as` is a right of its own, whatever is then asked for. */
const impersonation = { verb: "impersonate", resource: { group: "", plural: "users", namespaced: false } } as const;

export function withRight(call: ApiCall, error: unknown): unknown {
  if (!isApiError(error, "forbidden")) return error;
  const { user, verb } = refusal.exec(error.message)?.groups ?? {};
  if (user === undefined) return error;
  return new MissingRight(verb === impersonation.verb ? impersonation : call, user);
}

function adviceFor(right: Right): readonly string[] {
  const missing = `the right that is missing: verb ${right.verb} on ${resourceOfRight(right)} ${place(right)}`;
  if (!right.resource.namespaced || !groupsOfRoles.has(right.resource.group)) return [missing];
  const role = `the role ${roleFor(right.verb)} contains it`;
  if (right.namespace === undefined) return [missing, `${role}; for one namespace alone name it: -n NAMESPACE`];
  return [missing, `${role}: ask for it whoever administers namespace ${right.namespace}`];
}

/** Of what the roles contain: Kubernetes' own, so far as the verbs ask for it, and what the operator's chart adds. */
const groupsOfRoles: ReadonlySet<string> = new Set([
  "",
  "apps",
  "events.k8s.io",
  postgresVDB.group,
  ...actionKinds.map(({ group }) => group),
]);

const roleFor = (verb: string): "view" | "edit" => (["get", "list", "watch"].includes(verb) ? "view" : "edit");

export const resourceOfRight = ({ resource, subresource }: Right): string =>
  subresource === undefined ? resourceName(resource) : `${resourceName(resource)}/${subresource}`;

function place({ resource, namespace }: Right): string {
  if (!resource.namespaced) return "in the cluster";
  return namespace === undefined ? "in all namespaces" : `in namespace ${namespace}`;
}
