import { done, findCondition, retry, terminal } from "kube-runtime";
import { tlsCommand, tlsResult } from "../../postgres/tls.ts";
import type { PlainVdbStep, RunningContext, VdbOutcome } from "../context.ts";
import { decideCertificate } from "../decide/certificate.ts";
import { askPod } from "../pod/ask-pod.ts";
import { containerIdOf } from "../pod/configure-server.ts";
import { unasked } from "./prepare-database.ts";

/** At most so often; at rest openGate asks for a look each half minute. The kubelet needs about a minute to bring a change into the pod. */
const lookSeconds = 10;
/** A new database waits for its first certificate. */
const firstSeconds = 5;

/**
 * CertificateCurrent: the certificate in the mounted Secret is in force. A renewed one is taken over by a reload; one that is
 * missing or refused changes nothing. The operator itself never reads the Secret.
 * Returns early while the server has no certificate at all.
 */
export const serveTls: PlainVdbStep<RunningContext> = {
  name: "serveTls",
  run: async (ctx, signal) => {
    const { run, vdb, memory, pod } = ctx;
    if (vdb.spec.tls === undefined) return done();
    const present = findCondition(vdb.status.conditions, "CertificateCurrent");
    const containerId = containerIdOf(pod);
    const { certificate } = memory;
    const isFresh = certificate?.containerId === containerId && run.clock.now() - certificate.askedAt < lookSeconds * 1000;
    if (isFresh && present !== undefined) {
      run.setCondition(present);
      return done();
    }
    try {
      return await look(ctx, containerId, signal);
    } catch (error) {
      if (present !== undefined) run.setCondition(present);
      return unasked(pod, error);
    }
  },
};

async function look(ctx: RunningContext, containerId: string, signal: AbortSignal): Promise<VdbOutcome<"Prepared">> {
  const { run, vdb, memory, world, pod } = ctx;
  const result = tlsResult(await askPod(world, pod, { command: tlsCommand, stdin: "" }, signal));
  if (result.kind === "failed") return retry("Unreachable", `cannot put the certificate in force: ${result.message}`);
  const { condition, trouble } = decideCertificate(vdb, result, run.clock.now());
  const before = findCondition(vdb.status.conditions, condition.type);
  run.setCondition(condition);
  if (before !== undefined && before.message !== condition.message)
    run.event(condition.status === "True" ? "Normal" : "Warning", condition.reason, condition.message);
  memory.certificate = trouble === undefined ? { containerId, askedAt: run.clock.now() } : undefined;
  return trouble === undefined ? done() : terminal(trouble.reason, trouble.message, { backOff: true, mostSeconds: firstSeconds });
}
