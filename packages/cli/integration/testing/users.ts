/** Users with the rights of the cluster's roles view and edit, with what the operator's chart adds to them. */
import { readFileSync } from "node:fs";
import { forever } from "@vdb/operator/testing";
import { type Client, defineResource, type KubeObject } from "kube-runtime";
import { parse } from "yaml";

const rbac = { group: "rbac.authorization.k8s.io", version: "v1", namespaced: true } as const;
type RoleRules = readonly {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}[];
const roles = defineResource<KubeObject & { readonly rules: RoleRules }>({ ...rbac, kind: "Role", plural: "roles" });
const clusterRoles = defineResource<KubeObject & { readonly rules: RoleRules }>({
  ...rbac,
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
});
const roleBindings = defineResource<KubeObject & { readonly roleRef: object; readonly subjects: readonly object[] }>({
  ...rbac,
  kind: "RoleBinding",
  plural: "rolebindings",
});

const chart = new URL("../../../../charts/delphix-operator/templates/user-roles.yaml", import.meta.url);

/** What the chart adds to `view` and to `edit`; nobody aggregates roles on an API server alone. */
function rulesOfChart(): { readonly view: RoleRules; readonly edit: RoleRules } {
  const [view, edit] = readFileSync(chart, "utf8")
    .split("\n---\n")
    .map((role) => {
      const { rules }: { rules: RoleRules } = parse(role.replaceAll(/^.*\{\{.*\n/gmu, ""));
      return rules;
    });
  if (view === undefined || edit === undefined) throw new Error("the chart has no longer two roles for users");
  return { view, edit };
}

/** Gives `viewer` and `developer` their rights in a namespace. `stranger` gets none. */
export async function giveRights(client: Client, namespace: string): Promise<void> {
  const { view, edit } = rulesOfChart();
  const kubernetesOwn = async (role: string): Promise<RoleRules> =>
    (await client.get(clusterRoles, { name: role }, forever)).rules;
  const viewer = [...view, ...(await kubernetesOwn("system:aggregate-to-view"))];
  const developer = [...viewer, ...edit, ...(await kubernetesOwn("system:aggregate-to-edit"))];
  for (const [user, rules] of [
    ["viewer", viewer],
    ["developer", developer],
  ] as const) {
    await client.create(roles, { metadata: { namespace, name: user }, rules }, forever);
    const roleRef = { apiGroup: rbac.group, kind: "Role", name: user };
    const subjects = [{ apiGroup: rbac.group, kind: "User", name: user }];
    await client.create(roleBindings, { metadata: { namespace, name: user }, roleRef, subjects }, forever);
  }
}
