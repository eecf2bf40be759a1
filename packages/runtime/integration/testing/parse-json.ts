/** Reads what these tests themselves wrote. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the reader says what the writer wrote
export function parseJson<T>(text: string): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return JSON.parse(text) as T;
}
