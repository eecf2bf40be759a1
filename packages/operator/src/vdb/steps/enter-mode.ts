import { done, waiting } from "kube-runtime";
import type { PlainVdbStep, RunningContext } from "../context.ts";
import { modeOf } from "../decide/decide-mode.ts";
import { restartDeployment } from "./apply-deployment.ts";
import { isOutcome } from "./apply-own.ts";
import { lookAgain } from "./open-gate.ts";

/**
 * Has a Standby read-only before anybody is let in: all that needs a server that can be written to is in force, so it stops and
 * starts again. Done at once for a Primary, and while a change of the mode waits for the end of an action.
 */
export const enterMode: PlainVdbStep<RunningContext> = {
  name: "enterMode",
  run: async (ctx, signal) => {
    const { vdb, run, pod, wasOpened, course } = ctx;
    const present = modeOf(pod.metadata);
    if (vdb.spec.mode !== "Standby" || present === "Standby") return done();
    if (wasOpened && present === "Primary" && course === "asItRuns") return done();
    const shutOut = await lookAgain(ctx, signal);
    if (shutOut !== undefined) return shutOut;
    const written = await restartDeployment(ctx, signal, { mode: "Standby" });
    if (isOutcome(written)) return written;
    const message = "spec.mode is Standby: PostgreSQL starts again, read-only";
    run.event("Normal", "Restarting", message);
    return waiting("Starting", message);
  },
};
