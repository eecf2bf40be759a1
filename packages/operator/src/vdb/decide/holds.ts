/**
 * Pure: whether an object has all that the manifest says. What others have added to it does not count; what they have changed
 * or removed does.
 */
export const holds = (present: object, wanted: object): boolean => contains(present, wanted);

function contains(present: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(present) && wanted.every((entry) => present.some((candidate) => contains(candidate, entry)));
  if (!isObject(wanted)) return present === wanted;
  return (
    isObject(present) && Object.entries(wanted).every(([name, value]) => value === undefined || contains(present[name], value))
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
