import { once } from "node:events";

/** Listens until the signal ends it. `begin` subscribes, and gives how each of it ends. */
export async function listenUntil(signal: AbortSignal, begin: () => readonly (() => void)[]): Promise<void> {
  const ends = begin();
  if (!signal.aborted) await once(signal, "abort");
  for (const end of ends) end();
}
