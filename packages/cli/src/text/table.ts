import type { Output } from "../world.ts";
import { painted, type Tone } from "./style.ts";

export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

/** Columns as wide as their widest cell, three blanks between them, as kubectl has them. The last cell of a row may be longer. */
export function table(output: Output, rows: readonly (readonly Cell[])[]): string {
  const width = (column: number): number =>
    Math.max(0, ...rows.map((row) => (column === row.length - 1 ? 0 : (row[column]?.text.length ?? 0))));
  const widths = Array.from({ length: Math.max(0, ...rows.map((row) => row.length)) }, (_, column) => width(column));
  return rows.map((row) => `${lineOf(output, row, widths)}\n`).join("");
}

function lineOf(output: Output, row: readonly Cell[], widths: readonly number[]): string {
  const last = row.length - 1;
  return row
    .map(({ text, tone = "plain" }, column) => {
      const blanks = column === last ? "" : " ".repeat((widths[column] ?? 0) - text.length + 3);
      return painted(output, tone, text) + blanks; // colours have no width
    })
    .join("")
    .trimEnd();
}
