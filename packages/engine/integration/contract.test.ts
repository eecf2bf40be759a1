/** The embedded engine keeps what callers of DCT rely on: the same suite that holds the fake of their tests. */
import { after, before, describe } from "node:test";
import { dctContract } from "@vdb/dct/testing";
import { declared, type EngineProcess, firstSnapshot, startEngineProcess } from "./testing/engine.ts";
import { startSource } from "./testing/postgres.ts";
import { scratchFolder } from "./testing/scratch.ts";

describe("the embedded engine as a DCT", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let engine: EngineProcess;

  before(async () => {
    const scratch = stack.use(scratchFolder());
    const source = stack.use(await startSource(scratch, "production", 1));
    engine = stack.use(await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } }));
    await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  dctContract(() => engine.client);
});
