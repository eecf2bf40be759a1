import { readFile } from "node:fs/promises";
import { setTimeout as sleepMs } from "node:timers/promises";
import type { Log } from "kube-runtime";
import { wordsOf } from "../failure.ts";
import { decodeSettings, type Settings } from "./settings.ts";

/** The file is looked at so often: a ConfigMap's change takes the kubelet up to a minute to bring anyway. */
const pauseMs = 2_000;

export interface SettingsSource {
  /** Undefined: the default configuration. */
  readonly configFile: string | undefined;
  readonly shortestIntervalSeconds: number;
}

export async function readSettings({ configFile, shortestIntervalSeconds }: SettingsSource): Promise<Settings> {
  return decodeSettings(configFile === undefined ? "" : await readFile(configFile, "utf8"), shortestIntervalSeconds);
}

export interface Follower {
  /** What is in force at first; the file may differ from it already. */
  readonly settings: Settings;
  /** Called when the file says something else. When it throws, it is called again. */
  readonly change: (settings: Settings) => Promise<void>;
  /** Called every time. */
  readonly pass: (settings: Settings) => Promise<void>;
}

/** Looks at the file every few seconds until the signal stops it. What cannot be read leaves the last good in force; it is said once. */
export async function followSettings(
  source: SettingsSource,
  { settings, change, pass }: Follower,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let [inForce, said] = [settings, ""];
  while (!signal.aborted) {
    try {
      const read = await readSettings(source);
      if (JSON.stringify(read) !== JSON.stringify(inForce)) await change(read);
      inForce = read;
      said = "";
    } catch (error) {
      const failure = wordsOf(error);
      if (failure !== said) log.error({ failure }, "cannot put the configuration in force; the last good one stays in force");
      said = failure;
    }
    await pass(inForce).catch((error: unknown) =>
      log.error({ err: error }, "cannot carry out the configuration; the engine tries again"),
    );
    await sleepMs(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
