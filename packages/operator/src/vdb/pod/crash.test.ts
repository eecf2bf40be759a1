import { equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { adviceFor, type End, endOf } from "./crash.ts";

const memory = "raise spec.resources.limits.memory";
const rows: { name: string; given: End; says: string; advice: string }[] = [
  {
    name: "out of memory",
    given: { exitCode: 137, reason: "OOMKilled" },
    says: "PostgreSQL ran out of memory and was killed (exit code 137); it printed nothing",
    advice: memory,
  },
  {
    name: "killed from outside",
    given: { exitCode: 137, reason: "Error" },
    says: "PostgreSQL ended with exit code 137; it printed nothing",
    advice: `something outside the container killed it, most often because memory ran out: ${memory}`,
  },
  {
    name: "too much shared memory",
    given: {
      exitCode: 1,
      message: "2026-01-31 12:00:01.123 UTC [17] FATAL:  could not map anonymous shared memory: Cannot allocate memory\n",
    },
    says: "PostgreSQL ended with exit code 1; its last output: FATAL: could not map anonymous shared memory: Cannot allocate memory",
    advice: `lower shared_buffers in spec.postgresConfig, or ${memory}`,
  },
  {
    name: "no room",
    given: { exitCode: 1, message: 'FATAL:  could not write lock file "postmaster.pid": No space left on device' },
    says: 'PostgreSQL ended with exit code 1; its last output: FATAL: could not write lock file "postmaster.pid": No space left on device',
    advice: "free some space in the storage that holds the volume",
  },
  {
    name: "PostgreSQL cannot recover the data; what it said besides is left out",
    given: {
      exitCode: 1,
      message: [
        "2026-01-31 12:00:01.123 UTC [20] LOG:  database system was interrupted; last known up at 2026-01-31 11:59:00 UTC",
        "2026-01-31 12:00:01.130 UTC [20] LOG:  invalid checkpoint record",
        "2026-01-31 12:00:01.130 UTC [20] PANIC:  could not locate a valid checkpoint record at 0/3000060",
        "2026-01-31 12:00:01.400 UTC [1] LOG:  startup process (PID 20) was terminated by signal 6: Aborted",
      ].join("\n"),
    },
    says: "PostgreSQL ended with exit code 1; its last output: PANIC: could not locate a valid checkpoint record at 0/3000060",
    advice:
      "PostgreSQL cannot recover the data: delete this PostgresVDB and apply it again, from another snapshot if this happens again",
  },
  {
    name: "a prefix of the source's own, and a hint",
    given: {
      exitCode: 1,
      message:
        "app@orders 10.0.0.3(4711) FATAL:  data directory has invalid permissions\napp@orders DETAIL:  Permissions should be u=rwx.\n",
    },
    says: "PostgreSQL ended with exit code 1; its last output: FATAL: data directory has invalid permissions; DETAIL: Permissions should be u=rwx.",
    advice: "set spec.ownershipSpec to the owner of the data, or give that owner the missing permissions",
  },
  {
    name: "no program",
    given: { exitCode: 127, message: "/etc/vdb/start.sh: 12: awk: not found" },
    says: "PostgreSQL ended with exit code 127; its last output: /etc/vdb/start.sh: 12: awk: not found",
    advice: "the image lacks a program that the pod needs: set spec.image to an image of PostgreSQL",
  },
  {
    name: "the program itself",
    given: { exitCode: 139 },
    says: "PostgreSQL ended with exit code 139; it printed nothing",
    advice: "the program itself crashed: set spec.image to another build of the same PostgreSQL version",
  },
  {
    name: "memory that it was not given",
    given: { exitCode: 135 },
    says: "PostgreSQL ended with exit code 135; it printed nothing",
    advice: `it used memory that the node could not provide: set huge_pages to off in spec.postgresConfig, or ${memory}`,
  },
  {
    name: "what nobody foresaw",
    given: { exitCode: 1, message: "FATAL:  something new" },
    says: "PostgreSQL ended with exit code 1; its last output: FATAL: something new",
    advice: "do what the output says",
  },
  {
    name: "nothing at all",
    given: { exitCode: 1 },
    says: "PostgreSQL ended with exit code 1; it printed nothing",
    advice: "read the log of the previous container (kubectl logs --previous)",
  },
];

/** Of one try: at its time, in its process. */
const words = (time: string, pid: number): string =>
  endOf({
    exitCode: 1,
    message: `${time} UTC [${pid}] LOG:  starting\n${time} UTC [${pid}] LOG:  server process (PID ${pid}) was terminated at ${time} UTC`,
  });

describe("a container that ends", () => {
  for (const { name, given, says, advice } of rows)
    test(name, () => {
      equal(endOf(given), says);
      equal(adviceFor(given), advice);
    });

  test("says the same after each try", () => {
    equal(words("2026-01-31 12:00:01.123", 17), words("2026-02-01 00:00:09.999", 23));
  });
});
