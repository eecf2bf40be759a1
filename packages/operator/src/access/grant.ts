import { type Client, defineResource, isApiError, type KubeObject } from "kube-runtime";

interface ReferenceGrant extends KubeObject {
  readonly spec: {
    readonly from?: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
    readonly to?: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
  };
}
const referenceGrants = defineResource<ReferenceGrant>({
  group: "gateway.networking.k8s.io",
  version: "v1beta1",
  kind: "ReferenceGrant",
  plural: "referencegrants",
  namespaced: true,
});

/** A reference from an object in one namespace to one in another. */
export interface Reference {
  readonly from: { readonly group: string; readonly kind: string; readonly namespace: string };
  readonly to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string };
}

/** Pure: whether one of these grants, which lie in the namespace that is referred to, allows it. */
export function allows(grants: readonly Pick<ReferenceGrant, "spec">[], { from, to }: Reference): boolean {
  return grants.some(
    ({ spec }) =>
      spec.from?.some(
        ({ group, kind, namespace }) => group === from.group && kind === from.kind && namespace === from.namespace,
      ) === true &&
      spec.to?.some(
        ({ group, kind, name = "" }) => group === to.group && kind === to.kind && (name === "" || name === to.name),
      ) === true,
  );
}

/** A cluster that does not know ReferenceGrants has none. They are read, not watched: the kind may not exist. */
export async function isGranted(client: Client, reference: Reference, signal: AbortSignal): Promise<boolean> {
  try {
    const { items } = await client.list(referenceGrants, { namespace: reference.to.namespace }, signal);
    return allows(items, reference);
  } catch (error) {
    if (isApiError(error, "notFound")) return false;
    throw error;
  }
}

/** The manifest that would allow it, in one line. Quoted, for a name may be `123` or `null`, and the core group is empty. */
export function grantFor({ from, to }: Reference): string {
  const name = JSON.stringify(`${to.name}-from-${from.namespace}`);
  const [fromWords, toWords] = [
    `{group: "${from.group}", kind: ${from.kind}, namespace: "${from.namespace}"}`,
    `{group: "${to.group}", kind: ${to.kind}, name: "${to.name}"}`,
  ];
  return (
    `{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: ${name}, ` +
    `namespace: "${to.namespace}"}, spec: {from: [${fromWords}], to: [${toWords}]}}`
  );
}
