const factors: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
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

/** The value of a Kubernetes quantity (`4Gi`, `512M`, `1e9`, `500m`, 0.25) in its base unit; undefined when it is none. */
export function valueOf(quantity: string | number | undefined): number | undefined {
  const grammar = /^([+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|([eE][+-]?[0-9]+))?$/u;
  const [, number, unit = "", exponent = ""] = grammar.exec(String(quantity)) ?? [];
  const factor = factors[unit];
  return number === undefined || factor === undefined ? undefined : Number(`${number}${exponent}`) * factor;
}
