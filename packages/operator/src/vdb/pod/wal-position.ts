import type { World } from "../world.ts";
import { asSuperuser } from "./as-superuser.ts";
import { askPod, type PodName, Unreachable } from "./ask-pod.ts";

/** Only words depend on it, so nothing waits for it longer. */
const patienceSeconds = 5;
const statement = `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
ELSE pg_catalog.pg_current_wal_insert_lsn() END`;
const position = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/u;

/** How far the WAL of a pod's server has come, as PostgreSQL writes it: 0/3000028. Undefined: it does not say. */
export async function walPosition(world: Pick<World, "exec">, pod: PodName, signal: AbortSignal): Promise<string | undefined> {
  try {
    const command = ["/bin/sh", "-c", asSuperuser(statement)];
    const { exitCode, stdout } = await askPod(world, pod, { command }, signal, patienceSeconds);
    return exitCode === 0 && position.test(stdout.trim()) ? stdout.trim() : undefined;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return undefined;
  }
}

/** Pure: the bytes of WAL from one position to another. Below 0: the second one comes first. */
export const walBytesBetween = (from: string, to: string): number => Number(byteOf(to) - byteOf(from));

function byteOf(text: string): bigint {
  const [, high = "0", low = "0"] = position.exec(text) ?? [];
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
