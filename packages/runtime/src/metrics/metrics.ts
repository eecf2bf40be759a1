/** A registry of Prometheus metrics in text form. Names and labels follow controller-runtime where it has them. */
export interface Metrics {
  readonly counter: (name: string, help: string, labels?: readonly string[]) => Counter;
  readonly gauge: (name: string, help: string, labels?: readonly string[]) => Gauge;
  readonly histogram: (name: string, help: string, buckets: readonly number[], labels?: readonly string[]) => Histogram;
  /** Everything in the Prometheus text format 0.0.4. */
  readonly text: () => string;
}

export type LabelValues = Readonly<Record<string, string>>;

export interface Counter {
  readonly inc: (labels?: LabelValues, by?: number) => void;
}

export interface Gauge {
  readonly set: (value: number, labels?: LabelValues) => void;
  readonly add: (by: number, labels?: LabelValues) => void;
  /** Asked whenever the metrics are read. */
  readonly collect: (read: () => readonly { readonly value: number; readonly labels?: LabelValues }[]) => void;
}

export interface Histogram {
  readonly observe: (value: number, labels?: LabelValues) => void;
}
