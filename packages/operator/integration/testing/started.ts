/** A database that the start script has started, prepared as the operator does it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hbaFile } from "../../src/postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult, type ServerState } from "../../src/postgres/prepare.ts";
import { type Pod, startPod } from "./postgres.ts";
import { until } from "./until.ts";

/** Waits for the server's answer, and until the start script has noted with what it has started: clients are served before. */
export async function answering(pod: Pod): Promise<Pod> {
  await pod.answers();
  await until("the settings are noted as ones that the server starts with", () => isNoted(pod), 60);
  return pod;
}

function isNoted({ mount, run }: Pod): boolean {
  const read = (name: string): string => readFileSync(join(mount, "data", name), "utf8");
  const mark = read("vdb-content-id");
  return (
    read("vdb-proven-settings") === mark + readFileSync(join(run, "settings.started"), "utf8") &&
    read("vdb-proven-auto") === mark + read("postgresql.auto.conf")
  );
}

/** Starts a pod and waits until its server answers. */
export const start = async (mount: string, settings = "", contentId = "x"): Promise<Pod> =>
  await answering(await startPod(mount, { contentId, settings }));

/** Opens the gate with these settings. */
export function prepare(pod: Pod, settings: string): PreparationResult {
  const wanted = { hba: hbaFile("x", "open"), settings, role: "postgres", database: "postgres", verifier: undefined };
  const { command, stdin } = preparationCommand(wanted);
  return preparationResult(pod.exec(command, stdin));
}

export function stateOf(result: PreparationResult): ServerState {
  if (result.kind !== "answer") throw new Error(`${result.kind}: ${result.message}`);
  return result.state;
}

/** What the start script has noted for the operator: the settings that were given up, and why. */
export const noted = ({ run }: Pod): readonly [string, string] | undefined =>
  existsSync(join(run, "settings.refused"))
    ? [readFileSync(join(run, "settings.refused"), "utf8"), readFileSync(join(run, "settings.refused.words"), "utf8")]
    : undefined;
