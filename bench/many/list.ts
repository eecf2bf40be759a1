/** Objects in JSON as one List, for one call of kubectl. */
export const list = (objects: readonly string[]): string => `{"apiVersion":"v1","kind":"List","items":[${objects.join(",")}]}`;
