import { styleText } from "node:util";
import type { Output } from "../world.ts";

export type Tone = "plain" | "good" | "busy" | "bad" | "faint";

const colours = { good: "green", busy: "yellow", bad: "red", faint: "gray" } as const;

/** The text in the tone's colour, where the stream shows colours. */
export const painted = ({ hasColours }: Output, tone: Tone, text: string): string =>
  tone === "plain" || !hasColours || text === "" ? text : styleText(colours[tone], text, { validateStream: false });

const phaseTones: Readonly<Record<string, Tone>> = { Ready: "good", Completed: "good", Error: "bad", Stopped: "faint" };
export const toneOfPhase = (phase: string): Tone => phaseTones[phase] ?? "busy";
