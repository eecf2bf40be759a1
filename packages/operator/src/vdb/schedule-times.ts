import { Cron } from "croner";
import { errorMessage } from "kube-runtime";
import type { Times } from "./decide/schedule.ts";

export interface Timing {
  readonly schedule: string;
  readonly timeZone: string;
}

/** The times of a cron expression in its time zone, or why it has none. */
export function timesOf({ schedule, timeZone }: Timing): Times | { readonly refused: string } {
  if (!isKnown(timeZone))
    return { refused: `timeZone ${timeZone} is not known: it must be a name of the IANA database, for example Europe/Berlin` };
  try {
    const cron = new Cron(schedule, { mode: "5-part", timezone: timeZone, paused: true });
    if (cron.nextRun() === null) return { refused: `schedule ${schedule} never comes` };
    return {
      last: (atMs) => cron.previousRuns(1, new Date(atMs + 1))[0]?.getTime(), // previousRuns leaves out the moment itself
      next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime(),
    };
  } catch (error) {
    return { refused: `schedule ${schedule} cannot be read: ${errorMessage(error).replace(/^CronPattern: /u, "")}` };
  }
}

function isKnown(timeZone: string): boolean {
  try {
    return Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
