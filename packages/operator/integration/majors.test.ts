/** What runs in a database's pod, on the oldest and the newest major version: the tests beside this one, once more. Full tier. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { isFullTier } from "kube-runtime/testing";

const files = ["start-hygiene", "start-settings", "prepare", "clean-databases"];
const execute = promisify(execFile);

describe("the start script and what the operator says to a server", { skip: !isFullTier, timeout: 2_400_000 }, () => {
  for (const major of ["14", "18"])
    for (const file of files)
      test(`${file} on PostgreSQL ${major}`, async () => {
        const { NODE_TEST_CONTEXT: _, ...environment } = process.env; // else it would speak to this test's runner
        const options = { env: { ...environment, POSTGRES_VERSION: major }, maxBuffer: 2 ** 26 };
        await execute(process.execPath, ["--test", join(import.meta.dirname, `${file}.test.ts`)], options).catch(
          (error: unknown) => {
            throw new Error(error instanceof Error && "stdout" in error ? String(error.stdout).slice(-8000) : String(error));
          },
        );
      });
});
