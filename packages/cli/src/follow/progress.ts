import type { Clock } from "kube-runtime";
import { painted, type Tone } from "../text/style.ts";
import type { Output } from "../world.ts";

/** What an object is at now: a line of its own when it changes. */
export interface Label {
  readonly text: string;
  readonly tone: Tone;
  /** What it waits for in detail: shown while it lasts, on a terminal alone. */
  readonly detail?: string;
}

export interface Progress extends Disposable {
  readonly say: (label: Label) => void;
}

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;
const frameMs = 100;
const eraseLine = "\r\u001B[2K";

/**
 * Writes each label with the seconds since the beginning at which it came. On a terminal a line below it moves, with the seconds
 * up to now; disposing of it leaves the labels alone.
 */
export function startProgress(output: Output, clock: Clock): Progress {
  const begin = clock.monotonic();
  const end = new AbortController();
  const state: { last: Label | undefined; frame: number } = { last: undefined, frame: 0 };
  const seconds = (): string => secondsText(clock.monotonic() - begin);
  const moving = output.isTerminal;
  const draw = (): void => {
    if (!moving || state.last === undefined) return;
    const sign = spinner[state.frame++ % spinner.length] ?? "";
    const text = `${sign} ${seconds().trimStart()}  ${state.last.detail ?? state.last.text}`.replaceAll(/\s*\n\s*/gu, " ");
    output.write(eraseLine + painted(output, "faint", text.slice(0, Math.max(0, output.columns - 1))));
  };
  if (moving) void tick(clock, draw, end.signal);
  return {
    say: (label) => {
      const isNews = label.text !== state.last?.text;
      state.last = label;
      if (isNews) output.write(`${moving ? eraseLine : ""}${seconds()}  ${painted(output, label.tone, label.text)}\n`);
      if (isNews) draw();
    },
    [Symbol.dispose]: () => {
      end.abort();
      if (moving && state.last !== undefined) output.write(eraseLine);
    },
  };
}

async function tick(clock: Clock, draw: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(frameMs, signal).catch(() => undefined);
    if (!signal.aborted) draw();
  }
}

/** `   12.3 s`. */
const secondsText = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1).padStart(7)} s`;
