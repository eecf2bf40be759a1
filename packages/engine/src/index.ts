/** The embedded engine as a library: what main.ts starts. */
export { type Flags, readFlags } from "./config/flags.ts";
export { decodeSettings, type Settings } from "./config/settings.ts";
export { type Engine, startEngine } from "./engine.ts";
