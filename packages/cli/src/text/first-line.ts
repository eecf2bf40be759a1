/** Pure: a message in one line of a page; the end of an output that is part of it has several. */
export const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
