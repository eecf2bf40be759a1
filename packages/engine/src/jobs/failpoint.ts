import type { Log } from "kube-runtime";
import type { Parts } from "./job-kind.ts";

/**
 * Failpoints are the points between an effect and its record: `<job type>:started`, `:acted`, `:recorded`, `:failed`, and the job's
 * own. Tests kill the engine at one of them (flag --hold-at): it logs "stopped at a failpoint" and goes no further.
 */
export function stopAt(wanted: string | undefined, log: Log): Parts["failpoint"] {
  return async (name) => {
    if (name !== wanted) return;
    log.warn({ failpoint: name }, "stopped at a failpoint");
    await new Promise<never>(() => undefined);
  };
}
