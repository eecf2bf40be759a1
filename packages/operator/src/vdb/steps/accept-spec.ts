import { hasNeedlessNamespace, type VdbSource } from "@vdb/api";
import { done, terminal } from "kube-runtime";
import { type SettingsFile, settingsFile } from "../../postgres/settings.ts";
import type { AcceptedSpec, VdbContext, VdbFinding, VdbFindingStep } from "../context.ts";
import { isCleaned, settingsBeforeCleaning } from "../decide/cleaning.ts";
import { keepsGateShut } from "../decide/hold.ts";
import { resourcesTrouble } from "../decide/judge-resources.ts";
import { type Password, readPassword } from "../password.ts";

/** A Secret is read by name, never watched: this is how late its change is seen while one is missing. */
const secretRereadSeconds = 5;

/**
 * Accepted: whether the operator can carry out the manifest, before it creates anything.
 * Returns early with what a person has to fix: the source type, the resources, a setting, the password.
 */
export const acceptSpec: VdbFindingStep<"Accepted", AcceptedSpec> = {
  name: "acceptSpec",
  condition: "Accepted",
  run: async (ctx, signal) => {
    const { source, postgresConfig = [] } = ctx.vdb.spec;
    const { namespace } = ctx.vdb.metadata;
    if (ctx.world.sources.named(ctx.vdb) === undefined)
      return terminal("SourceTypeNotSupported", `spec.source.type ${source.type} is not yet supported`);
    const trouble = resourcesTrouble(ctx.vdb.spec);
    if (trouble !== undefined) return terminal("ResourcesRefused", trouble);
    if (hasNeedlessNamespace(source) && source.namespace !== namespace)
      return terminal("BadReference", otherNamespace(source, namespace));
    const now = isCleaned(ctx.run.status.content) ? postgresConfig : settingsBeforeCleaning(ctx.vdb.spec);
    const settings = settingsFile(now, ctx.vdb.spec);
    if (!settings.ok) return terminal(settings.reason, settings.message);
    const password = await passwordOf(ctx, signal);
    const found = { settings: settings.lines.map((line) => `${line}\n`).join(""), password };
    return noted(judgePassword(ctx, found), adjustments(source, settings));
  },
};

/** Runs follow one another in milliseconds while a database comes up: a password that was read a moment ago serves them too. */
const passwordServesMs = 1000;

async function passwordOf({ vdb, run, memory }: VdbContext, signal: AbortSignal): Promise<Password> {
  const from = vdb.spec.database.passwordSecretRef;
  if (from === undefined) return await readPassword(vdb, run.client, signal);
  const nowMs = run.clock.monotonic();
  const known = memory.password;
  if (known !== undefined && known.from === from && nowMs - known.readAt < passwordServesMs) return known.found;
  const found = await readPassword(vdb, run.client, signal);
  memory.password = found.kind === "known" ? { from, readAt: nowMs, found } : undefined;
  return found;
}

const otherNamespace = ({ type, namespace = "" }: VdbSource, own: string): string =>
  `spec.source.namespace ${namespace} is not this PostgresVDB's own (${own}), and a ${type} allows no other: remove it`;

/** Entries of the manifest that change nothing: the operator accepts them and says so. */
function adjustments(source: VdbSource, { leftOut, unquoted }: Extract<SettingsFile, { ok: true }>): readonly string[] {
  return [
    ...(leftOut.length === 0 ? [] : [`not needed in spec.postgresConfig, because it holds anyway: ${leftOut.join(", ")}`]),
    ...(unquoted.length === 0 ? [] : [`the operator removes the quotes inside the value of ${unquoted.join(", ")}`]),
    ...(hasNeedlessNamespace(source) ? ["spec.source.namespace is not needed: it is this PostgresVDB's own"] : []),
  ];
}

type Judgement = VdbFinding<"Accepted", AcceptedSpec>;

function noted(outcome: Judgement, notes: readonly string[]): Judgement {
  if (outcome.kind !== "done" || notes.length === 0) return outcome;
  const all = outcome.message === undefined ? notes : [...notes, outcome.message];
  return { ...outcome, reason: "Adjusted", message: all.join("; ") };
}

/** A database whose password is in force runs on when its Secret goes: only a new one needs it. */
function judgePassword(ctx: VdbContext, found: AcceptedSpec): Judgement {
  const { password } = found;
  if (password.kind === "known") return done({ found, ...(password.note === undefined ? {} : { message: password.note }) });
  if (ctx.wasOpened && !keepsGateShut(ctx.course)) {
    const message = `${password.message}; the earlier password stays in force`;
    return done({ found, message, recheckSeconds: secretRereadSeconds });
  }
  return terminal(password.reason, password.message, { backOff: true, mostSeconds: secretRereadSeconds });
}
