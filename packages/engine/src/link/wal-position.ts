/** A position in the WAL (LSN), as PostgreSQL spells it: two hexadecimal halves. */
export function parsePosition(text: string): bigint {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/iu.exec(text.trim()) ?? [];
  if (high === undefined || low === undefined) throw new Error(`"${text}" is not a position in the WAL`);
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

export const formatPosition = (position: bigint): string =>
  `${(position >> 32n).toString(16)}/${(position & 0xffff_ffffn).toString(16)}`.toUpperCase();
