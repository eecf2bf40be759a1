import type { ObjectMeta } from "./object-meta.ts";
import type { Fields, Rule, TypeOf } from "./schema.ts";

/** A column of `kubectl get`; `wide` ones appear with `-o wide` alone. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean" | "date";
  readonly jsonPath: string;
  readonly description: string;
  readonly wide?: true;
}

/** One kind of the API: everything that types, CRD, JSON Schema and reference documentation are made from. */
export interface Kind<S extends Fields = Fields, T extends Fields = Fields> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: true;
  readonly shortNames: readonly string[];
  /** One sentence on what an object of this kind is or does, shown by `kubectl explain` and at the head of its page. */
  readonly description: string;
  readonly spec: S;
  readonly status: T;
  readonly columns: readonly Column[];
  /** Rules on the whole object: names, and fields that stand in the wrong place. */
  readonly rules?: readonly Rule[];
  /** Top-level fields that are declared only so that a rule can say where they belong. */
  readonly misplaced?: { readonly [name: string]: Fields };
  /** What a new object's status is before anybody wrote: a kstatus reader sees "in progress", not "current". */
  readonly initialStatus: { readonly observedGeneration: -1; readonly phase: "Pending" };
}

/** An object of a kind as the API server gives it: validated by the CRD, defaults filled in. */
export interface ObjectOf<K extends Kind> {
  readonly apiVersion: string;
  readonly kind: K["kind"];
  readonly metadata: ObjectMeta;
  readonly spec: TypeOf<K["spec"]>;
  readonly status: TypeOf<K["status"]>;
}

type Declared<S extends Fields, T extends Fields> = Omit<Kind<S, T>, "initialStatus" | "namespaced">;

/** Declares a kind. The literals are kept: `TypeOf<typeof kind.spec>` is the kind's TypeScript type. */
export function defineKind<const S extends Fields, const T extends Fields, const K extends Declared<S, T>>(
  kind: K & Declared<S, T>,
): K & Kind<K["spec"], K["status"]> {
  return { ...kind, namespaced: true, initialStatus: { observedGeneration: -1, phase: "Pending" } };
}

export const apiVersionOf = ({ group, version }: Pick<Kind, "group" | "version">): string => `${group}/${version}`;
