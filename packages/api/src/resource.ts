import { defineResource, type KubeObject, type Resource } from "kube-runtime";
import { decode } from "./decode.ts";
import type { Kind, ObjectOf } from "./kind.ts";

/** The descriptor by which the runtime's client, caches and controllers know a kind; objects come through the decoder. */
export function resourceOf<K extends Kind>(kind: K): Resource<ObjectOf<K>> {
  const { group, version, plural, namespaced } = kind;
  return { group, version, kind: kind.kind, plural, namespaced, decode: (value) => decode(kind, value) };
}

/** The kind as it is sent: the API server fills in the defaults, so an object need not be whole. */
export const plainResourceOf = ({ group, version, kind, plural, namespaced }: Kind) =>
  defineResource<KubeObject & { readonly spec: object }>({ group, version, kind, plural, namespaced });
