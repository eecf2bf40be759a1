/** Whether every long loop runs in full: TEST_TIER=all. */
export const isFullTier = process.env["TEST_TIER"] === "all";

/** The seed of sampled loops: TEST_SEED, else a new one. Printed, so that a failure can be played again. */
export const testSeed: number = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
