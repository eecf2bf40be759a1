/**
 * The language in which a kind is declared: a subset of the CRD's own schema language, as a value.
 *
 * Guarantees: what is written here is what the API server enforces, what editors read, what the reference documents and what
 * TypeScript checks. Differences between those four are the emitter's (crd.ts, json-schema.ts), never the declaration's.
 */

/** A CEL rule. `fieldPath` moves the message to the field that has to change; `reason` decides how the API server begins it. */
export interface Rule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
  readonly reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired" | "FieldValueDuplicate";
}

interface Doc {
  readonly description: string;
  readonly default?: unknown;
  readonly rules?: readonly Rule[];
}

/**
 * A string. `pattern` and `minLength` need `allowed` (the words for them) and `example`: together they make the refusal's message.
 * `maxLength` bounds what CEL may cost, so every string that a rule looks at has one.
 */
export interface Text extends Doc {
  readonly type: "string";
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: "date-time";
  readonly allowed?: string;
  readonly example?: string;
  /** The value must not appear in a refusal: its rules stand on the parent, which prints none. */
  readonly secret?: true;
}

/** A whole number; its limits and `example` make the refusal's message. */
export interface Whole extends Doc {
  readonly type: "integer";
  readonly format?: "int32" | "int64";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly example?: number;
}

export interface Truth extends Doc {
  readonly type: "boolean";
}

/**
 * A Kubernetes quantity: `2` as well as `"500m"`. `least` bytes are the least that is sensible; whoever writes less has most
 * likely left out the unit, or taken `m` for a million.
 */
export interface Quantity extends Doc {
  readonly quantity: "zero or more" | "positive";
  readonly least?: string;
  readonly example: string;
}

/** A quantity that is given as any number too, as in `cpu: 0.25`. No rule can look at it: the API server words its limits itself. */
export interface Amount extends Doc {
  readonly quantity: "any number";
  readonly example: string;
}

export interface List extends Doc {
  readonly type: "array";
  readonly items: Schema;
  readonly listType: "map" | "set" | "atomic";
  readonly mapKeys?: readonly string[];
  readonly minItems?: number;
  readonly maxItems: number;
}

export interface Fields extends Doc {
  readonly type: "object";
  readonly properties: { readonly [name: string]: Schema };
  readonly required: readonly string[];
}

/** An object whose names are the user's, as labels are. A rule of its own looks at the names. */
export interface TextMap extends Doc {
  readonly type: "map";
  readonly values: Text;
  readonly maxProperties: number;
}

/** An object of Kubernetes' own with too many fields to declare here: the API server checks it where it is used. */
export interface Foreign extends Doc {
  readonly type: "foreign";
}

export type Schema = Text | Whole | Truth | Quantity | Amount | List | Fields | TextMap | Foreign;

/** The TypeScript type of a schema value. A field with a default is always there: the API server fills it in. */
export type TypeOf<S> = S extends { enum: readonly (infer E)[] }
  ? E
  : S extends { type: "string" }
    ? string
    : S extends { type: "integer" }
      ? number
      : S extends { type: "boolean" }
        ? boolean
        : S extends { quantity: string }
          ? string | number
          : S extends { type: "map" }
            ? Readonly<Record<string, string>>
            : S extends { type: "foreign" }
              ? Readonly<Record<string, unknown>>
              : S extends { type: "array"; items: infer I }
                ? readonly TypeOf<I>[]
                : S extends { properties: infer P; required: readonly (infer R)[] }
                  ? Flat<
                      { readonly [K in Always<P, R>]: TypeOf<P[K]> } & {
                        readonly [K in Exclude<keyof P, Always<P, R>>]?: TypeOf<P[K]>;
                      }
                    >
                  : never;
type Always<P, R> = { [K in keyof P]: K extends R ? K : P[K] extends { default: unknown } ? K : never }[keyof P];
/** Makes an intersection one type, which is what an editor then shows. */
type Flat<T> = { [K in keyof T]: T[K] };

/** Keeps a schema's literals, so that `TypeOf` can read them. */
export const schema = <const S extends Schema>(value: S): S => value;
