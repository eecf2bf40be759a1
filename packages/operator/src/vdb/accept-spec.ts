import { done, type Outcome, type Step, terminal } from "kube-runtime";
import { settingsFile } from "../postgres/settings.ts";
import { stalled, type VdbContext } from "./context.ts";
import { resourcesTrouble } from "./judge-resources.ts";
import { keyOfVdb } from "./names.ts";
import { type Password, readPassword } from "./password.ts";

/** A Secret is read by name, never watched: this is how late its change is seen while one is missing. */
const secretRereadSeconds = 5;

/**
 * Accepted: whether the manifest can be carried out at all, before anything is made.
 * Returns early with what a person has to mend: the source type, the mode, the resources, a setting, the password.
 */
export const acceptSpec: Step<VdbContext> = {
  name: "acceptSpec",
  condition: "Accepted",
  run: async (ctx, signal) => {
    const { source, mode, postgresConfig = [] } = ctx.vdb.spec;
    if (source.type !== "dct-source")
      return terminal("SourceTypeNotSupported", `spec.source.type ${source.type} is not yet supported: use dct-source`);
    if (mode !== "Primary") return terminal("ModeNotSupported", `spec.mode ${mode} is not yet supported: use Primary`);
    const trouble = resourcesTrouble(ctx.vdb.spec);
    if (trouble !== undefined) return terminal("ResourcesRefused", trouble);
    const settings = settingsFile(postgresConfig);
    if (!settings.ok) return terminal(settings.reason, settings.message);
    ctx.settings = settings.lines.map((line) => `${line}\n`).join("");
    ctx.password = await readPassword(ctx.vdb, ctx.run.client, signal);
    return judgePassword(ctx, ctx.password);
  },
};

/** A database whose password is in force runs on when its Secret goes: only a new one needs it. */
function judgePassword(ctx: VdbContext, password: Password): Outcome {
  if (password.kind === "known") return password.note === undefined ? done() : done({ message: password.note });
  if (ctx.gate === "open") {
    ctx.world.rechecks.after(keyOfVdb(ctx.vdb), secretRereadSeconds);
    return done({ message: `${password.message}; the password that was set before stays in force` });
  }
  return stalled(ctx, password.reason, password.message, secretRereadSeconds);
}
