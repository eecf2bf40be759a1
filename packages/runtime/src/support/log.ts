import { type DestinationStream, pino } from "pino";

/** Structured logs: fields first, a fixed sentence second. `pino`'s logger is one. */
export interface Log {
  readonly debug: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
  readonly child: (fields: Record<string, unknown>) => Log;
}

/** What a program's `--log-level` may be. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  /** `info` unless told. */
  readonly level?: LogLevel | "silent";
  /** Paths whose values never appear, as pino's `redact`. */
  readonly redact?: readonly string[];
  readonly destination?: DestinationStream;
}

/** One JSON line per message on standard output, with `time` as ISO 8601 and `level` as a word. */
export function createLog(options: LogOptions = {}): Log {
  const settings = {
    level: options.level ?? "info",
    base: null,
    redact: [...(options.redact ?? [])],
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

/** Says nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
