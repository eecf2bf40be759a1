import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Catalogue, CatalogueInUse, openCatalogue } from "./catalogue.ts";
import { restoreStaged } from "./restore.ts";

const lookMs = 200;

/**
 * Opens the catalogue, and waits so long for an engine that has it open. A pod that is deleted by force runs on for a moment
 * beside its successor, which would end and count as crashed. Throws CatalogueInUse when the other engine stays.
 * A backup that an administrator has laid there takes its place first.
 */
export async function takeOverCatalogue(
  file: string,
  waitMs: number,
  restored: () => void = () => undefined,
): Promise<Catalogue> {
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      if (restoreStaged(dirname(file))) restored();
      return openCatalogue(file);
    } catch (error) {
      if (!(error instanceof CatalogueInUse) || performance.now() > until) throw error;
    }
    await sleep(lookMs);
  }
}
