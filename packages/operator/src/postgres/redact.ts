/**
 * Pure: the end of an output, at most `length` characters, with the secrets redacted. `cutAt`: of longer output the pod has
 * kept only so many bytes, so that the text may begin in the middle of a secret.
 */
export function redactedEnd(
  text: string,
  { secrets, length, cutAt }: { readonly secrets: readonly string[]; readonly length: number; readonly cutAt: number },
): string {
  const known = secrets.filter((secret) => secret !== "");
  const whole = known.reduce((rest, secret) => rest.replaceAll(secret, "***"), text); // before the cut, which would leave an end of one
  const isCut = Buffer.byteLength(text) >= cutAt - longestLetter;
  return endOf(isCut ? known.reduce(withoutRemnant, whole) : whole, length);
}

/** Bytes that the pod drops at a cut, so that no half of a letter is left. */
const longestLetter = 4;

/** The end of a secret at the beginning of a text that was cut. */
function withoutRemnant(text: string, secret: string): string {
  for (let from = 1; from < secret.length; from += 1)
    if (text.startsWith(secret.slice(from))) return `***${text.slice(secret.length - from)}`;
  return text;
}

/** No half of a surrogate pair at its start: the API server would not keep it. */
const endOf = (text: string, length: number): string => text.slice(-length).replace(/^[\uDC00-\uDFFF]/u, "");
