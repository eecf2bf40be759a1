/** Rights that are given and rights that are used, by the API server's audit log: which are missing, which are too many. */
import { at, items, type Json, parseJson, text } from "@vdb/cluster";

/** One verb on one resource for one account: what a rule comes to, and what a request needs. */
export interface Right {
  /** `namespace/name` of the service account. */
  readonly account: string;
  readonly verb: string;
  /** With its group unless that is the core, and its subresource: `deployments.apps`, `pods/exec`. */
  readonly resource: string;
}

export const rightText = ({ account, verb, resource }: Right): string => `${account}: ${verb} ${resource}`;

const resourceText = (group: string, resource: string): string => {
  const [plural = "", subresource] = resource.split("/");
  return `${plural}${group === "" ? "" : `.${group}`}${subresource === undefined ? "" : `/${subresource}`}`;
};

const idOf = (kind: string, namespace: string, name: string): string =>
  kind === "ClusterRole" ? `ClusterRole/${name}` : `Role/${namespace}/${name}`;

/** From what `kubectl get roles,clusterroles,rolebindings,clusterrolebindings -A -o json` lists. Of accounts in these namespaces. */
export function grantedRights(objects: readonly Json[], namespaces: readonly string[]): readonly Right[] {
  const rules = new Map<string, readonly Json[]>();
  for (const object of objects) {
    const kind = text(object, "kind");
    const id = idOf(kind, text(object, "metadata", "namespace"), text(object, "metadata", "name"));
    if (kind.endsWith("Role")) rules.set(id, items(object, "rules"));
  }
  const rights = new Map<string, Right>();
  for (const binding of objects.filter((object) => text(object, "kind").endsWith("Binding"))) {
    const role = at(binding, "roleRef");
    const bound = rules.get(idOf(text(role, "kind"), text(binding, "metadata", "namespace"), text(role, "name"))) ?? [];
    for (const subject of items(binding, "subjects")) {
      if (text(subject, "kind") !== "ServiceAccount" || !namespaces.includes(text(subject, "namespace"))) continue;
      const account = `${text(subject, "namespace")}/${text(subject, "name")}`;
      for (const right of bound.flatMap((rule) => rightsOf(account, rule))) rights.set(rightText(right), right);
    }
  }
  return [...rights.values()];
}

const strings = (value: Json, field: string): readonly string[] => items(value, field).filter((one) => typeof one === "string");

const rightsOf = (account: string, rule: Json): readonly Right[] =>
  strings(rule, "apiGroups").flatMap((group) =>
    strings(rule, "resources").flatMap((resource) =>
      strings(rule, "verbs").map((verb) => ({ account, verb, resource: resourceText(group, resource) })),
    ),
  );

export interface Audited {
  readonly used: readonly Right[];
  /** What RBAC has refused, with the namespace and name that it was asked for. */
  readonly refused: readonly string[];
}

/** From the lines of an audit log. Of accounts in these namespaces. */
export function auditedRights(lines: Iterable<string>, namespaces: readonly string[]): Audited {
  const used = new Map<string, Right>();
  const refused = new Set<string>();
  for (const line of lines) {
    if (line === "") continue;
    const event = parseJson(line);
    const [, namespace = "", name = ""] = /^system:serviceaccount:([^:]+):(.+)$/u.exec(text(event, "user", "username")) ?? [];
    const asked = at(event, "objectRef");
    const plural = text(asked, "resource");
    if (!namespaces.includes(namespace) || plural === "") continue;
    const subresource = text(asked, "subresource");
    const resource = resourceText(text(asked, "apiGroup"), subresource === "" ? plural : `${plural}/${subresource}`);
    const right = { account: `${namespace}/${name}`, verb: text(event, "verb"), resource };
    if (text(event, "annotations", "authorization.k8s.io/decision") === "forbid")
      refused.add(`${rightText(right)} ${text(asked, "namespace")}/${text(asked, "name")}`);
    else used.set(rightText(right), right);
  }
  return { used: [...used.values()], refused: [...refused] };
}

/** Why a right is given that the log does not show. */
export interface Reason {
  /** Matches the rights that it is for, as `rightText` says them. */
  readonly rights: RegExp;
  readonly why: string;
}

export interface Compared {
  readonly used: readonly string[];
  /** Not used, each with its reason. */
  readonly explained: readonly string[];
  /** Neither used nor explained: they are to be taken away. */
  readonly needless: readonly string[];
}

/** A cache begins with a list where the API server does not stream what there is: whoever watches has use for it. */
const begins = ({ account, verb, resource }: Right): string =>
  verb === "list" ? rightText({ account, verb: "watch", resource }) : "";

/** What becomes of each right that is given. */
export function compareRights(granted: readonly Right[], used: readonly Right[], reasons: readonly Reason[]): Compared {
  const known = new Set(used.map(rightText));
  const [seen, explained, needless]: [string[], string[], string[]] = [[], [], []];
  for (const right of granted.toSorted((left, other) => (rightText(left) < rightText(other) ? -1 : 1))) {
    const name = rightText(right);
    const why = known.has(begins(right)) ? "begins the watch" : reasons.find(({ rights }) => rights.test(name))?.why;
    if (known.has(name)) seen.push(name);
    else if (why !== undefined) explained.push(`${name}: ${why}`);
    else needless.push(name);
  }
  return { used: seen, explained, needless };
}

const part = (title: string, lines: readonly string[]): string =>
  `${title}: ${lines.length}\n${lines.map((line) => `  ${line}\n`).join("")}`;

/** A page that tells it all: what a person reads who decides over the charts' rights. */
export function rightsReport({ used, explained, needless }: Compared, refused: readonly string[]): string {
  return [
    part("needed and refused", refused),
    part("given, neither used nor explained", needless),
    part("given and explained", explained),
    part("given and used", used),
  ].join("\n");
}
