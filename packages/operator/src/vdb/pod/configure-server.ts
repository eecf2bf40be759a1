import { createHash } from "node:crypto";
import type { PostgresVDB } from "@vdb/api";
import type { Pod } from "kube-runtime";
import { hbaFile } from "../../postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult, type ServerState } from "../../postgres/prepare.ts";
import { saltFor, scramVerifier } from "../../postgres/scram.ts";
import type { RunningContext } from "../context.ts";
import type { Gate } from "../objects/config-map.ts";
import { askPod } from "./ask-pod.ts";
import { loginTrouble } from "./login-trouble.ts";
import { containerStatusOf } from "./pod-state.ts";

/**
 * Puts settings, password and gate in force in the pod's server, or finds that they are. The operator remembers what is in
 * force in a container, and looks again when the container, the manifest or the Secret is another.
 */
export async function configureServer(
  ctx: RunningContext,
  gate: Gate,
  signal: AbortSignal,
): Promise<PreparationResult | "inForce"> {
  const { vdb, contentId, settings, password, pod, memory, world } = ctx;
  const { user: role, name: database } = vdb.spec.database;
  const hba = hbaFile(contentId, gate);
  const known = password.kind === "known" ? password.value : undefined;
  const fingerprint = fingerprintOf([containerIdOf(pod), hba, settings, role, database, known ?? ""]);
  if (memory.inForce === fingerprint) return "inForce";
  const verifier = known === undefined ? undefined : scramVerifier(known, saltFor(vdb.metadata.uid, role));
  const { command, stdin } = preparationCommand({ hba, settings, role, database, verifier });
  const result = preparationResult(await askPod(world, pod, { command, stdin }, signal));
  memory.inForce = result.kind === "answer" && isWhole(result.state, vdb) ? fingerprint : undefined;
  return result;
}

/** Nothing is left that another look could find changed: what somebody set in the database may be taken back there. */
const isWhole = (state: ServerState, vdb: PostgresVDB): boolean =>
  state.loaded &&
  state.pendingRestart.length === 0 &&
  state.preparedTransactions.length === 0 &&
  state.pendingElsewhere.length === 0 &&
  loginTrouble(vdb, state) === undefined;

export const containerIdOf = (pod: Pod): string => containerStatusOf(pod)?.containerID ?? "";

/** A hash: a password must not lie about in memory longer than it is used. */
const fingerprintOf = (parts: readonly string[]): string => createHash("sha256").update(JSON.stringify(parts)).digest("hex");
