const binary = ["Ki", "Mi", "Gi", "Ti", "Pi"] as const;
const decimal = ["k", "M", "G", "T", "P"] as const;

/** A size as Kubernetes writes it: `20Gi`, `500M`, `1073741824`. */
export function parseBytes(text: string, at: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/u.exec(text.trim()) ?? [];
  const [b, d] = [binary.findIndex((one) => one === unit), decimal.findIndex((one) => one === unit)];
  const factor = unit === "" ? 1 : b >= 0 ? 1024 ** (b + 1) : d >= 0 ? 1000 ** (d + 1) : undefined;
  if (digits === undefined || factor === undefined) throw new Error(`${at}: "${text}" is not a size such as 20Gi`);
  const bytes = Math.round(Number(digits) * factor);
  if (!Number.isSafeInteger(bytes)) throw new Error(`${at}: "${text}" is too large`);
  return bytes;
}

const lengths: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A length of time: `30m`, `12h`, `1d`, `1h30m`. */
export function parseSeconds(text: string, at: string): number {
  const parts = [...text.matchAll(/(\d+)([smhd])/gu)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text.trim())
    throw new Error(`${at}: "${text}" is not a time such as 12h or 1h30m`);
  const seconds = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (lengths[unit] ?? 0), 0);
  if (!Number.isSafeInteger(seconds)) throw new Error(`${at}: "${text}" is too large`);
  return seconds;
}
