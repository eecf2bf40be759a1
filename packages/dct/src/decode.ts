/** Decoding of what came over the wire: `unknown` comes in, a typed value or a `DecodeError` naming the field goes out. */
export type Decoder<T> = (value: unknown, at: string) => T;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

export class DecodeError extends Error {
  override readonly name = "DecodeError";
  constructor(at: string, problem: string) {
    super(`${at}: ${problem}`);
  }
}

const unexpected = (at: string, wanted: string, value: unknown): DecodeError =>
  new DecodeError(at, `must be ${wanted}, not ${kindOf(value)}`);

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

export const string: Decoder<string> = (value, at) => {
  if (typeof value !== "string") throw unexpected(at, "a string", value);
  return value;
};

export const number: Decoder<number> = (value, at) => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw unexpected(at, "a number", value);
  return value;
};

export const boolean: Decoder<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw unexpected(at, "true or false", value);
  return value;
};

/** A free-form object, such as `appdata_source_params`: taken as it is. */
export const map: Decoder<Readonly<Record<string, unknown>>> = (value, at) => {
  if (!isObject(value)) throw unexpected(at, "an object", value);
  return value;
};

export const list =
  <T>(item: Decoder<T>): Decoder<readonly T[]> =>
  (value, at) => {
    if (!Array.isArray(value)) throw unexpected(at, "a list", value);
    return value.map((entry, i) => item(entry, `${at}[${i}]`));
  };

type Fields = { readonly [name: string]: Decoder<unknown> };
type Values<F extends Fields> = { readonly [K in keyof F]: Decoded<F[K]> };
type OptionalValues<F extends Fields> = { readonly [K in keyof F]?: Decoded<F[K]> };
type Flat<T> = { readonly [K in keyof T]: T[K] };

/**
 * An object with some required and some optional fields. Unknown fields are dropped; an optional field that is null counts as
 * left out, because DCT uses both for "not known".
 */
export const object =
  <R extends Fields, O extends Fields>(required: R, optional: O): Decoder<Flat<Values<R> & OptionalValues<O>>> =>
  (value, at) => {
    if (!isObject(value)) throw unexpected(at, "an object", value);
    const out: Record<string, unknown> = {};
    for (const [name, decode] of Object.entries(required)) out[name] = decode(value[name], `${at}.${name}`);
    for (const [name, decode] of Object.entries(optional)) {
      const field = value[name];
      if (field !== undefined && field !== null) out[name] = decode(field, `${at}.${name}`);
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loops above filled in exactly the fields of R and O
    return out as Flat<Values<R> & OptionalValues<O>>;
  };

/** As `object`, but a field that is not known is a mistake: for what people write. */
export const exactObject = <R extends Fields, O extends Fields>(required: R, optional: O) => {
  const decode = object(required, optional);
  const known = [...Object.keys(required), ...Object.keys(optional)];
  return ((value, at) => {
    const stray = isObject(value) ? Object.keys(value).find((name) => !known.includes(name)) : undefined;
    if (stray !== undefined) throw new DecodeError(`${at}.${stray}`, `is not a known field; known fields: ${known.join(", ")}`);
    return decode(value, at);
  }) satisfies typeof decode;
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
