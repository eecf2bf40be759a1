const start = performance.now();

/** Seconds since the command started, right-aligned: every line of progress begins with them. */
export function say(message: string): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${seconds.padStart(7)} s  ${message}`);
}

export function bytes(count: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit] ?? ""}`;
}

/** Runs a command's work; what fails is said in words, without a stack, and ends the command with status 1. */
export async function command(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(`\nFailed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
