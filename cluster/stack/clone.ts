import { join } from "node:path";

/** This clone's root folder. */
export const clone = join(import.meta.dirname, "../..");
