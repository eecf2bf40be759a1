import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { countsAsStandby } from "./source.ts";
import { contains, heard, misfits, receivedBy, replayedBy } from "./standby-lines.ts";
import { formatPosition, parsePosition } from "./wal-position.ts";

test("what a standby says is understood, as PostgreSQL 14 to 18 say it", () => {
  const kinds: readonly (readonly [line: string, kind: string | undefined, why: string])[] = [
    ["LOG:  consistent recovery state reached at 0/3000100", "consistent", "a clone can be recovered"],
    ["LOG:  started streaming WAL from primary at 1/A3000000 on timeline 12", "streaming", "it receives"],
    ["LOG:  restarted WAL streaming at 1/A3000000 on timeline 13", "streaming", "on the connection that it had"],
    [
      "FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 000000010000000000000003 has already been removed",
      "lost",
      "no server sends it again",
    ],
    [
      "LOG:  new timeline 2 forked off current database system timeline 1 before current recovery point 0/5000000",
      "lost",
      "what it has replayed is no part of the source's history",
    ],
    [
      "FATAL:  could not start WAL streaming: ERROR:  requested starting point 0/5000000 is ahead of the WAL flush position of this server 0/4000000",
      "lost",
      "the source was restored",
    ],
    ['CONTEXT:  WAL redo at 0/1D0184B0 for Tablespace/CREATE: 16397 "/mnt/fast/pg"', "lost", "the server ends here each time"],
    ["FATAL:  database system identifier differs between the primary and standby", "lost", "another cluster"],
    ["FATAL:  terminating walreceiver process due to administrator command", "dismissal", "one alone says little"],
    ["LOG:  replication terminated by primary server", "endOfTimeline", "another one follows"],
    ["FATAL:  terminating walreceiver due to timeout", "trouble", "it connects again"],
    [
      'FATAL:  could not connect to the primary server: service file "/pool/standbys/1/server/entrance" not found',
      "parted",
      "the next start compares",
    ],
    ["FATAL:  could not connect to the primary server: connection refused", "trouble", "it connects again"],
    ["LOG:  invalid record length at 0/3000100: wanted 24, got 0", undefined, "the end of what was received"],
  ];
  for (const [line, kind, why] of kinds) equal(heard(line)?.kind, kind, `${line}: ${why}`);
  deepEqual(heard("LOG:  started streaming WAL from primary at 1/A3000000 on timeline 12"), {
    kind: "streaming",
    position: 0x1a3000000n,
    timeline: 12,
  });
});

test("a WAL receiver that is sent away again and again receives what does not fit; at the end of a timeline each is", () => {
  const [judge, streaming] = [misfits(), { kind: "streaming", position: 1n, timeline: 1 } as const];
  const dismissed = (): string => judge({ kind: "dismissal" }).kind;
  for (let i = 0; i < 5; i += 1) {
    judge(streaming);
    judge({ kind: "endOfTimeline" });
    equal(dismissed(), "dismissal");
  }
  for (const kind of ["dismissal", "dismissal", "lost"]) {
    judge(streaming);
    equal(dismissed(), kind);
  }
});

test("how much has been received stands in the title of one process", () => {
  equal(
    receivedBy(["postgres: startup recovering 000000010000000000000003", "postgres: walreceiver streaming 0/3000148"]),
    0x3000148n,
  );
  equal(receivedBy(["postgres: walreceiver", "postgres: checkpointer"]), undefined);
});

test("a server that waits for more of a segment, and tries it again, replays the same one", () => {
  const segment = "000000010000000000000003";
  for (const what of ["recovering", "waiting for"])
    equal(replayedBy(["postgres: checkpointer", `postgres: startup ${what} ${segment}`]), segment);
  equal(replayedBy(["postgres: startup"]), undefined);
});

test("recovered data contains its source's position only when it ends behind it, on the same timeline", () => {
  const source = { position: 0x3001500n, timeline: 2 };
  const rows: readonly (readonly [end: string, timeline: number, is: boolean, why: string])[] = [
    ["0/3001500", 2, true, "its checkpoint begins where the source ended"],
    ["0/3001528", 2, true, "behind it"],
    ["0/30014C8", 2, false, "a record is missing"],
    ["0/3001528", 1, false, "the end of the former timeline"],
  ];
  for (const [checkpointLsn, timeline, is, why] of rows) equal(contains({ checkpointLsn, timeline }, source), is, why);
  // A page boundary may be in the middle of a record.
  equal(contains({ checkpointLsn: "0/3000F00", timeline: 2 }, { position: 0x3002000n, timeline: 2 }), true);
  equal(contains({ checkpointLsn: "0/2000F00", timeline: 2 }, { position: 0x3002000n, timeline: 2 }), false);
});

test("positions are numbers of 64 bits", () => {
  for (const text of ["0/0", "0/3000148", "16/B374D848", "FFFFFFFF/FFFFFFFF"]) equal(formatPosition(parsePosition(text)), text);
});

test("a source that waits for any standby would wait for the engine's", () => {
  const rows: readonly (readonly [string, boolean])[] = [
    ["", false],
    ["*", true],
    ["ANY 1 (one, two)", false],
    ["FIRST 1 (one, *)", true],
    ['"delphix-engine"', true],
  ];
  for (const [names, counts] of rows) equal(countsAsStandby(names), counts, names);
});
