const factors: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The bytes of a Kubernetes quantity (`4Gi`, `512M`, `1e9`); undefined when there is none or it cannot be read. */
export function bytesOf(quantity: string | number | undefined): number | undefined {
  if (quantity === undefined) return undefined;
  const [, number = "", unit = ""] = /^([0-9.]+(?:[eE][-+]?[0-9]+)?)([kMGTPEm]i?|Ki)?$/u.exec(String(quantity)) ?? [];
  const factor = factors[unit];
  return number === "" || factor === undefined ? undefined : Number(number) * factor;
}
