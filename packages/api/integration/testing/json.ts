export type Json = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path; undefined where the path leads nowhere. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (typeof key === "number") return Array.isArray(inner) ? inner[key] : undefined;
    return isObject(inner) ? inner[key] : undefined;
  }, value);
}

export const textAt = (value: unknown, ...path: readonly (string | number)[]): string => {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
};
export const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

/** `spec.hooks[0].name` → spec, hooks, 0, name. */
export const parsePath = (path: string): (string | number)[] =>
  [...path.matchAll(/\[(\d+)\]|[^.[\]]+/gu)].map(([part, index]) => (index === undefined ? part : Number(index)));

/** A copy with `value` at the path; undefined takes the field away. Objects on the way are made. */
export function withValue(object: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const inner = withValue(at(object, key), rest, value);
  if (typeof key === "number") return Object.assign(Array.isArray(object) ? [...object] : [], { [key]: inner });
  const { [key]: _old, ...others } = isObject(object) ? object : {};
  return inner === undefined ? others : { ...others, [key]: inner };
}
