import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hygieneOf, isReplication, isRoutine } from "./hygiene.ts";

const clean = "the copy leaves out nothing of note: at most addresses, paths, logging, certificates, archiving";
const rows: { name: string; given: readonly string[]; want: ReturnType<typeof hygieneOf> }[] = [
  { name: "nothing", given: [], want: { reason: "Clean", message: clean } },
  {
    name: "what every copy leaves behind: real findings must not drown in it",
    given: [
      "archive_command",
      "archive_mode",
      "listen_addresses",
      "log_directory",
      "port",
      "ssl",
      "ssl_cert_file",
      "unix_socket_directories",
    ],
    want: { reason: "Clean", message: clean },
  },
  {
    name: "a library that the image lacks",
    given: ["listen_addresses", "shared_preload_libraries:timescaledb", "session_preload_libraries:auditor"],
    want: {
      reason: "Adjusted",
      message:
        "the copy leaves out: libraries that the image lacks: timescaledb (shared_preload_libraries), auditor (session_preload_libraries)",
    },
  },
  {
    name: "jobs, replication, and what the server does not know, each in words of its own",
    given: ["made_up_setting", "port", "primary_conninfo", "recovery_target_time", "shared_preload_libraries:pg_cron"],
    want: {
      reason: "Adjusted",
      message:
        "the copy leaves out: libraries that would run the source's jobs: pg_cron (shared_preload_libraries); " +
        "replication: primary_conninfo, recovery_target_time; settings that the image's server does not know: made_up_setting",
    },
  },
];
for (const { name, given, want } of rows) test(`hygieneOf: ${name}`, () => deepEqual(hygieneOf(given), want));

test("hygieneOf: a message does not grow without end", () => {
  const { message } = hygieneOf(Array.from({ length: 5000 }, (_, index) => `made_up_${index}`));
  equal(message.endsWith("made_up_19 and 4980 more"), true, message);
});

test("every setting that the start script leaves out is either routine or a finding", () => {
  const script = readFileSync(new URL("../../postgres/start.sh", import.meta.url), "utf8");
  const [, names = ""] = /split\("([a-z_ ]+)", names, " "\)/u.exec(script) ?? [];
  const all = names.split(" ");
  equal(all.length > 40, true, "the pattern still finds them");
  deepEqual(
    all.filter((name) => isRoutine(name) === isReplication(name)),
    [],
  );
});
