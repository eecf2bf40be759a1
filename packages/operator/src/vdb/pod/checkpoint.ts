import type { PostgresVDB } from "@vdb/api";
import { instanceKey, livePods, podsByInstance } from "../context.ts";
import { presentPod } from "../decide/decide-deployment.ts";
import { contentIdOf } from "../names.ts";
import type { World } from "../world.ts";
import { askPod, Unreachable } from "./ask-pod.ts";
import { podState } from "./pod-state.ts";

/** A checkpoint of a busy server writes all its dirty pages. */
const patienceSeconds = 300;

/** As the first superuser that gets in, whatever is set for roles and databases. On the local socket everybody is trusted. */
const script = `export PGHOST="$VDB_RUN" PGCONNECT_TIMEOUT=5 PGAPPNAME=delphix-operator
roles=$(psql -XAtqw -c 'SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid' 2>/dev/null)
export PGOPTIONS='-c role=none -c session_preload_libraries= -c local_preload_libraries= -c statement_timeout=0'
IFS='
'
for name in postgres "$PGDATABASE" template1; do
  for role in $roles postgres "$PGUSER"; do
    said=$(PGDATABASE=$name psql -XAtqw -U "$role" -c CHECKPOINT 2>&1) && exit 0
  done
done
printf '%s' "$said" >&2
exit 1`;

type Asked = Pick<World, "exec"> & { readonly caches: Pick<World["caches"], "pods"> };

/** Whether a database's server can be asked. stopped: it has no pod. */
export function serverOf({ caches }: Asked, vdb: PostgresVDB, now: number): "answers" | "stopped" | "silent" {
  const pods = caches.pods.byIndex(podsByInstance, instanceKey(vdb));
  if (livePods({ pods }).length === 0) return "stopped";
  const pod = presentPod(pods, contentIdOf(vdb));
  return pod !== undefined && podState(pod, now).kind === "ready" ? "answers" : "silent";
}

/** Makes the server write down everything that it holds in memory alone. Undefined, or why it has not. */
export async function checkpoint(world: Asked, vdb: PostgresVDB, signal: AbortSignal): Promise<string | undefined> {
  const pod = presentPod(world.caches.pods.byIndex(podsByInstance, instanceKey(vdb)), contentIdOf(vdb));
  if (pod === undefined) return "it has no pod";
  try {
    const { exitCode, stderr } = await askPod(world, pod, { command: ["/bin/sh", "-c", script] }, signal, patienceSeconds);
    return exitCode === 0 ? undefined : stderr.trim().slice(0, 600) || `psql ended with exit code ${exitCode}`;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return `its server does not answer: ${error.message}`;
  }
}
