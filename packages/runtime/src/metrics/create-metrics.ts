import type { Counter, Gauge, Histogram, LabelValues, Metrics } from "./metrics.ts";

/** One metric: how it is called, and its samples as text. */
interface Family {
  readonly lines: () => readonly string[];
}

/** Asking twice for a name gives the same metric, so that several controllers count into one. */
export function createMetrics(): Metrics {
  const families = new Map<string, Family & { readonly handle: unknown }>();
  const register = <H>(name: string, make: () => Family & { readonly handle: H }): H => {
    const family = families.get(name) ?? make();
    families.set(name, family);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a name is always used with one type: make() of the first call
    return family.handle as H;
  };
  return {
    counter: (name, help, labels = []) => register(name, () => createCounter(name, help, labels)),
    gauge: (name, help, labels = []) => register(name, () => createGauge(name, help, labels)),
    histogram: (name, help, buckets, labels = []) => register(name, () => createHistogram(name, help, buckets, labels)),
    text: () => `${[...families.values()].flatMap(({ lines }) => lines()).join("\n")}\n`,
  };
}

const head = (name: string, help: string, type: string): readonly string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

/** `{a="x",b="y"}`; empty without labels. Also the key under which a sample is kept. */
function labelText(names: readonly string[], values: LabelValues, extra?: readonly [string, string]): string {
  const pairs = names.map((name): readonly [string, string] => [name, values[name] ?? ""]);
  const all = extra === undefined ? pairs : [...pairs, extra];
  return all.length === 0 ? "" : `{${all.map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

function createCounter(name: string, help: string, labels: readonly string[]): Family & { readonly handle: Counter } {
  const samples = new Map<string, number>();
  const inc = (values: LabelValues = {}, by = 1): void => {
    const key = labelText(labels, values);
    samples.set(key, (samples.get(key) ?? 0) + by);
  };
  return {
    handle: { inc },
    lines: () => [...head(name, help, "counter"), ...[...samples].map(([key, value]) => `${name}${key} ${value}`)],
  };
}

function createGauge(name: string, help: string, labels: readonly string[]): Family & { readonly handle: Gauge } {
  const samples = new Map<string, number>();
  const readers: (() => readonly { readonly value: number; readonly labels?: LabelValues }[])[] = [];
  const lines = (): readonly string[] => {
    const read = readers
      .flatMap((reader) => reader())
      .map((sample): [string, number] => [labelText(labels, sample.labels ?? {}), sample.value]);
    return [...head(name, help, "gauge"), ...[...samples, ...read].map(([key, value]) => `${name}${key} ${value}`)];
  };
  const add = (by: number, values: LabelValues = {}): void => {
    const key = labelText(labels, values);
    samples.set(key, (samples.get(key) ?? 0) + by);
  };
  const set = (value: number, values: LabelValues = {}): void => void samples.set(labelText(labels, values), value);
  return { handle: { set, add, collect: (reader) => void readers.push(reader) }, lines };
}

interface Distribution {
  readonly values: LabelValues;
  readonly counts: number[];
  sum: number;
  count: number;
}

function createHistogram(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly string[],
): Family & { readonly handle: Histogram } {
  const samples = new Map<string, Distribution>();
  const observe = (value: number, values: LabelValues = {}): void => {
    const key = labelText(labels, values);
    const sample = samples.get(key) ?? { values, counts: buckets.map(() => 0), sum: 0, count: 0 };
    samples.set(key, sample);
    sample.sum += value;
    sample.count += 1;
    const at = buckets.findIndex((bound) => value <= bound);
    if (at !== -1) sample.counts[at] = (sample.counts[at] ?? 0) + 1;
  };
  const linesOf = ({ values, counts, sum, count }: Distribution): readonly string[] => {
    let below = 0;
    const cumulative = buckets.map((bound, at) => {
      below += counts[at] ?? 0;
      return `${name}_bucket${labelText(labels, values, ["le", String(bound)])} ${below}`;
    });
    const all = labelText(labels, values);
    const infinite = `${name}_bucket${labelText(labels, values, ["le", "+Inf"])} ${count}`;
    return [...cumulative, infinite, `${name}_sum${all} ${sum}`, `${name}_count${all} ${count}`];
  };
  return { handle: { observe }, lines: () => [...head(name, help, "histogram"), ...[...samples.values()].flatMap(linesOf)] };
}
