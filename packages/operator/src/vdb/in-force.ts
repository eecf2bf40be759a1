import { createHash } from "node:crypto";
import type { Pod } from "kube-runtime";
import { hbaFile } from "../postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult } from "../postgres/prepare.ts";
import { saltFor, scramVerifier } from "../postgres/scram.ts";
import type { VdbContext } from "./context.ts";
import { containerName } from "./names.ts";
import type { Gate } from "./objects/config-map.ts";

const execSeconds = 40;

/**
 * Brings the server in the pod to settings, password and gate, or finds that it is there already. What was found in force in
 * a container is remembered, and looked at anew when the container, the manifest or the Secret is another.
 */
export async function bringIntoForce(
  ctx: VdbContext,
  pod: Pod,
  gate: Gate,
  signal: AbortSignal,
): Promise<PreparationResult | "inForce"> {
  const { vdb, contentId, settings, password, memory, world } = ctx;
  const role = vdb.spec.database.user;
  const hba = hbaFile(contentId, gate);
  const known = password?.kind === "known" ? password.value : undefined;
  const fingerprint = fingerprintOf([containerIdOf(pod), hba, settings, role, vdb.spec.database.name, known ?? ""]);
  if (memory.inForce === fingerprint) return "inForce";
  const verifier = known === undefined ? undefined : scramVerifier(known, saltFor(vdb.metadata.uid, role));
  const { command, stdin } = preparationCommand({ hba, settings, role, verifier });
  const { namespace = "", name } = pod.metadata;
  const result = preparationResult(
    await world.exec(
      { namespace, pod: name, container: containerName, command, stdin },
      AbortSignal.any([signal, AbortSignal.timeout(execSeconds * 1000)]),
    ),
  );
  const whole = result.kind === "answer" && result.state.loaded && result.state.pendingRestart.length === 0;
  memory.inForce = whole ? fingerprint : undefined;
  return result;
}

const containerIdOf = (pod: Pod): string => pod.status?.containerStatuses?.[0]?.containerID ?? "";

/** A hash: a password must not lie about in memory longer than it is used. */
const fingerprintOf = (parts: readonly string[]): string => createHash("sha256").update(JSON.stringify(parts)).digest("hex");
