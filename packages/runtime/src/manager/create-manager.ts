import type { Manager, ManagerOptions } from "./manager.ts";

export function createManager(_options: ManagerOptions): Manager {
  throw new Error("not yet");
}
