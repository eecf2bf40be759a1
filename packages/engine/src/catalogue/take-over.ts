import { setTimeout as sleep } from "node:timers/promises";
import { type Catalogue, CatalogueInUse, openCatalogue } from "./catalogue.ts";

const lookMs = 200;

/**
 * Opens the catalogue, and waits so long for an engine that has it open. A pod that is deleted by force runs on for a moment
 * beside its successor, which would end and count as crashed. Throws CatalogueInUse when the other engine stays.
 */
export async function takeOverCatalogue(file: string, waitMs: number): Promise<Catalogue> {
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      return openCatalogue(file);
    } catch (error) {
      if (!(error instanceof CatalogueInUse) || performance.now() > until) throw error;
    }
    await sleep(lookMs);
  }
}
