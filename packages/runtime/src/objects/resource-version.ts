/**
 * Whether `a` is older (negative), the same (0) or newer (positive) than `b`. Resource versions of one resource are decimal numbers
 * that only grow (promised by Kubernetes since 1.35, true before), possibly longer than a JavaScript number holds.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
