#!/usr/bin/env node
import process from "node:process";
import { runCli } from "./cli.ts";
import { systemWorld } from "./system-world.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new Error(name)));
// `kubectl vdb list | head -1`: who read what they wanted is no error.
process.stdout.on("error", () => process.exit(0));
process.exitCode = await runCli(process.argv.slice(2), systemWorld(stop.signal));
