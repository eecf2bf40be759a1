import { createHash } from "node:crypto";
import type { PostgresVDB } from "@vdb/api";
import type { Pod } from "kube-runtime";
import { hbaFile } from "../../postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult, type ServerState } from "../../postgres/prepare.ts";
import { saltFor, scramVerifier } from "../../postgres/scram.ts";
import type { RunningContext } from "../context.ts";
import { cleaningOf, isCleaned } from "../decide/cleaning.ts";
import type { Gate } from "../objects/config-map.ts";
import { askPod } from "./ask-pod.ts";
import { loginTrouble } from "./login-trouble.ts";
import { containerStatusOf } from "./pod-state.ts";

/**
 * Puts settings, password and gate in force in the pod's server, or finds that they are. The operator remembers what is in
 * force in a container, and looks again when the container, the manifest or the Secret is another. In a container where it has
 * not done so yet it looks into the databases too; data that is not clean yet is cleaned, which `result.state` then implies.
 */
export async function configureServer(
  ctx: RunningContext,
  gate: Gate,
  signal: AbortSignal,
): Promise<PreparationResult | "inForce"> {
  const { vdb, contentId, settings, password, pod, memory, world, run } = ctx;
  const { user: role, name: database, lockOtherRoles } = vdb.spec.database;
  const hba = hbaFile(contentId, gate, vdb.spec.tls?.withoutTls);
  const known = password.kind === "known" ? password.value : undefined;
  const containerId = containerIdOf(pod);
  const cleaning = isCleaned(run.status.content) ? undefined : cleaningOf(vdb.spec.hygiene);
  const parts = [containerId, hba, settings, role, database, known ?? "", String(lockOtherRoles)];
  const fingerprint = fingerprintOf(parts);
  if (memory.inForce === fingerprint && cleaning === undefined) return "inForce";
  const verifier = known === undefined ? undefined : scramVerifier(known, saltFor(vdb.metadata.uid, role));
  const look = cleaning !== undefined || memory.databases?.containerId !== containerId;
  const inside = look ? { cleaning } : undefined;
  const { command, stdin } = preparationCommand({ hba, settings, role, database, verifier, lockOtherRoles, inside });
  const limitSeconds = look ? lookSeconds : undefined;
  const result = preparationResult(await askPod(world, pod, { command, stdin }, signal, limitSeconds));
  if (result.kind === "answer" && look) memory.databases = { containerId, found: result.state.inside };
  memory.inForce = result.kind === "answer" && isWhole(result.state, vdb) ? fingerprint : undefined;
  return result;
}

/** A session in each of a thousand databases takes about so long on a busy node. */
const lookSeconds = 120;

/** Nothing is left that another look could find changed: what somebody set in the database may be taken back there. */
const isWhole = (state: ServerState, vdb: PostgresVDB): boolean =>
  state.loaded &&
  !state.needsWriting &&
  state.pendingRestart.length === 0 &&
  state.preparedTransactions.length === 0 &&
  state.pendingElsewhere.length === 0 &&
  loginTrouble(vdb, state) === undefined;

export const containerIdOf = (pod: Pod): string => containerStatusOf(pod)?.containerID ?? "";

/** A hash: a password must not lie about in memory longer than it is used. */
const fingerprintOf = (parts: readonly string[]): string => createHash("sha256").update(JSON.stringify(parts)).digest("hex");
