/**
 * One rule of admission: a manifest that breaks it, the message that a person then reads, and one at its limit that is accepted.
 *
 * Each row changes a base manifest of its kind at `field`; `given` are other changes that both manifests need. In an update,
 * `given` is the stored status that makes the change refused; without it the change is accepted.
 */
export interface RuleRow {
  readonly field: string;
  readonly refused: unknown;
  /** Where the message points, when that is not `field`. */
  readonly at?: string;
  readonly message: string;
  /** Values at the limit; undefined takes the field away. */
  readonly accepted: readonly unknown[];
  readonly given?: { readonly [path: string]: unknown };
}

/** What has the same limits in several places. */
export const limitRows = {
  whole: (field: string, minimum: number, maximum: number, example: number): RuleRow[] =>
    [minimum - 1, maximum + 1].map((refused) => ({
      field,
      refused,
      message: `must be from ${minimum} to ${maximum}, for example ${example}`,
      accepted: [minimum, maximum],
    })),
  text: (field: string, refused: readonly unknown[], message: string, accepted: readonly unknown[]): RuleRow[] =>
    refused.map((value) => ({ field, refused: value, message, accepted })),
  script: (field: string): RuleRow[] =>
    limitRows.text(field, ["", " \n", "\v\f\r\t"], "must be more than white space, for example SELECT 1", [
      ";",
      "x".repeat(65_536),
    ]),
  database: (field: string): RuleRow[] =>
    limitRows.text(
      field,
      ["", 'a"b', "a'b", "a\\b", "a\nb", "a\u007f"],
      "must be 1 to 63 characters without quotes, backslashes and control characters, for example postgres",
      ["a", "Überweisungen 2026", "a-b.c$"],
    ),
} as const;
