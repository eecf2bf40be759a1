import type { Log } from "kube-runtime";
import type { Parts } from "./job-kind.ts";

/**
 * Seams are the points between an effect and its record: `<job type>:started`, `:acted`, `:recorded`, `:failed`, and the job's
 * own. Tests kill the engine at one of them (flag --hold-at): it logs "held" and goes no further.
 */
export function holdAt(wanted: string | undefined, log: Log): Parts["seam"] {
  return async (name) => {
    if (name !== wanted) return;
    log.warn({ seam: name }, "held");
    await new Promise<never>(() => undefined);
  };
}
