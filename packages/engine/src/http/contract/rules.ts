/**
 * What a request may carry. Every field that the API's public document knows for an operation that is served here is served, or
 * ignored because it changes nothing here, or refused because it would have an effect that the engine does not have. A field that
 * no table knows is tolerated, as DCT does: clients of newer versions send such. The routes read these tables, so they say what the
 * engine does.
 */
import { DecodeError, type Decoder, map, object } from "@vdb/dct";

export interface Served<T, Required extends boolean> {
  readonly kind: "served";
  readonly required: Required;
  readonly decode: Decoder<T>;
}
/** `why` it makes no difference. Its type is checked all the same. */
export interface Ignored {
  readonly kind: "ignored";
  readonly decode: Decoder<unknown>;
  readonly why: string;
}
/** `why` it is not served; null, false, an empty text, list or object ask for nothing and are let through. */
export interface Refused {
  readonly kind: "refused";
  readonly why: string;
}
export type Rule = Served<unknown, boolean> | Ignored | Refused;
export type BodyRules = Readonly<Record<string, Rule>>;

export const required = <T>(decode: Decoder<T>): Served<T, true> => ({ kind: "served", required: true, decode });
export const served = <T>(decode: Decoder<T>): Served<T, false> => ({ kind: "served", required: false, decode });
export const ignored = (decode: Decoder<unknown>, why: string): Ignored => ({ kind: "ignored", decode, why });
export const refused = (why: string): Refused => ({ kind: "refused", why });

/** The same rule for each of several fields. */
export const each = <const N extends string, R extends Rule>(names: readonly N[], rule: R): { readonly [K in N]: R } => {
  const rules = Object.fromEntries(names.map((name) => [name, rule]));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of exactly these names in the line above
  return rules as { readonly [K in N]: R };
};

type ServedNames<R extends BodyRules, Required extends boolean> = {
  [K in keyof R]: R[K] extends Served<unknown, Required> ? K : never;
}[keyof R];
type ValueOf<X> = X extends Served<infer T, boolean> ? T : never;
/** What comes out of a body: its served fields. */
export type BodyOf<R extends BodyRules> = { readonly [K in ServedNames<R, true>]: ValueOf<R[K]> } & {
  readonly [K in ServedNames<R, false>]?: ValueOf<R[K]>;
};

/** Reads a body by its table. Throws a DecodeError that names the field. */
export const bodyDecoder =
  <R extends BodyRules>(rules: R): Decoder<BodyOf<R>> =>
  (value, at) => {
    for (const [field, given] of Object.entries(map(value, at))) requireAllowed(rules, field, given, `${at}.${field}`);
    const fields = Object.entries(rules).flatMap(([field, rule]) => (rule.kind === "served" ? [{ field, rule }] : []));
    const decoders = (wanted: boolean): Record<string, Decoder<unknown>> =>
      Object.fromEntries(fields.filter(({ rule }) => rule.required === wanted).map(({ field, rule }) => [field, rule.decode]));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- object() has filled in exactly the served fields of R
    return object(decoders(true), decoders(false))(value, at) as BodyOf<R>;
  };

function requireAllowed(rules: BodyRules, field: string, given: unknown, at: string): void {
  const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
  if (rule === undefined) return;
  if (rule.kind === "refused" && !asksForNothing(given)) throw new DecodeError(at, `is not supported: ${rule.why}`);
  if (rule.kind === "ignored" && given !== null) rule.decode(given, at);
}

const asksForNothing = (given: unknown): boolean =>
  given === null ||
  given === false ||
  given === "" ||
  (typeof given === "object" && (Array.isArray(given) ? given.length : Object.keys(given).length) === 0);
