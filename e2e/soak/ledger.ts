/** What a writer keeps outside of the database: a number is sent once, whatever comes of it, and never again. */
export type Ledger = {
  /** Numbers 1 … sent have been sent. */
  sent: number;
  /** Those whose row the server has acknowledged. */
  readonly acknowledged: Set<number>;
};

export const newLedger = (): Ledger => ({ sent: 0, acknowledged: new Set() });

/** How often a number stands in the table. */
export type Found = ReadonlyMap<number, number>;

/** What is wrong with a table: one line each, with the first numbers; none when it holds what was acknowledged, once. */
export function judge({ sent, acknowledged }: Ledger, found: Found): readonly string[] {
  const lost = [...acknowledged].filter((number) => !found.has(number));
  const doubled = [...found].filter(([, times]) => times > 1).map(([number]) => number);
  const strange = [...found.keys()].filter((number) => number < 1 || number > sent);
  return [named("lost though acknowledged", lost), named("doubled", doubled), named("never sent", strange)].flat();
}

/** As judge, by the number of rows alone: for a look in between. */
export function judgeCount({ sent, acknowledged }: Ledger, rows: number, distinct: number): readonly string[] {
  const least = acknowledged.size;
  if (rows < least) return [`${least - rows} rows are lost though acknowledged`];
  return rows > sent || rows !== distinct ? [`${rows} rows with ${distinct} numbers, where ${sent} were sent`] : [];
}

function named(what: string, numbers: readonly number[]): readonly string[] {
  if (numbers.length === 0) return [];
  const first = numbers.toSorted((a, b) => a - b).slice(0, 5);
  return [`${numbers.length} rows ${what}: ${first.join(", ")}${numbers.length > first.length ? ", …" : ""}`];
}
