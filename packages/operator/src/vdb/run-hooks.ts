import { done, type Step, terminal } from "kube-runtime";
import type { VdbContext } from "./context.ts";

/**
 * HooksSucceeded: every post-create hook has run, once for this content. An open gate is the record that they have.
 * Until hooks can be run, a database that has some stays behind its shut gate: it must never be served unmasked.
 */
export const runHooks: Step<VdbContext> = {
  name: "runHooks",
  condition: "HooksSucceeded",
  run: async ({ vdb, gate }) => {
    const hooks = (vdb.spec.hooks ?? []).filter(({ stage }) => stage === "post-create");
    if (hooks.length === 0) return done({ reason: "NoHooks", message: "no post-create hooks" });
    if (gate === "open") return done();
    return terminal(
      "HooksNotSupported",
      "post-create hooks are not yet supported: clients stay shut out, since they would see what the hooks should change",
    );
  },
};
