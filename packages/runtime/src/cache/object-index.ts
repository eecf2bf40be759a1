import type { KubeObject } from "../objects/object.ts";
import type { IndexFunction } from "./cache.ts";

/** Which objects, by key, have which value. One key a value is the rule, so a set is made only for the second. */
export interface ObjectIndex<T> {
  readonly add: (key: string, object: T) => void;
  readonly remove: (key: string, object: T) => void;
  readonly keys: (value: string) => Iterable<string>;
}

export function createObjectIndex<T extends KubeObject>(valuesOf: IndexFunction<T>): ObjectIndex<T> {
  const found = new Map<string, string | Set<string>>();
  const addOne = (value: string, key: string): void => {
    const present = found.get(value);
    if (present === undefined) found.set(value, key);
    else if (typeof present === "string") found.set(value, new Set([present, key]));
    else present.add(key);
  };
  const removeOne = (value: string, key: string): void => {
    const present = found.get(value);
    if (present === key) found.delete(value);
    else if (present instanceof Set && present.delete(key) && present.size === 0) found.delete(value);
  };
  return {
    add: (key, object) => {
      for (const value of valuesOf(object)) addOne(value, key);
    },
    remove: (key, object) => {
      for (const value of valuesOf(object)) removeOne(value, key);
    },
    keys: (value) => {
      const present = found.get(value);
      if (present === undefined) return [];
      return typeof present === "string" ? [present] : present;
    },
  };
}
