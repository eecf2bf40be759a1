/** All seven hook stages, SQL and command, under both families: each once per action, in order, the action's own scripts in their place. */
import { deepEqual, equal } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { operatorNamespace, productionSql, testCluster, text } from "@vdb/cluster";
import { applyVdb, deleteVdb, makePasswordSecret, runAction, type VdbOptions, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = operatorNamespace;
const stages = [
  "post-create",
  "pre-snapshot",
  "post-snapshot",
  "pre-refresh",
  "post-refresh",
  "pre-rewind",
  "post-rewind",
] as const;
type Stage = (typeof stages)[number];

type Action = { readonly kind: string; readonly spec: object; readonly want: readonly string[] };
const both = (stage: Stage): readonly string[] => [`${stage} sql`, `${stage} command`];
const aroundOwn = (pre: Stage, post: Stage, own: readonly string[] = []) => [...both(pre), ...own, ...both(post)];

/** What hooks write must outlive the data that they run on: their table is in the production database. */
const recorder = randomBytes(9).toString("hex");
const insert = (family: string, what: string): string =>
  `PGPASSWORD=${recorder} psql -qX -v ON_ERROR_STOP=1 -h production.production.svc -p 5432 -U recorder -d postgres ` +
  `-c "INSERT INTO marks (family, what) VALUES ('${family}', '${what}')"`;
const marking = (family: string) => ({
  command: (what: string) => ({ type: "command", content: insert(family, what) }),
  sql: (what: string) => ({
    type: "sql",
    content: `COPY (SELECT 1) TO PROGRAM '${insert(family, what).replaceAll("'", "''")}'`,
  }),
});

const own = marking("postgres");
const families: Readonly<Record<string, readonly Action[]>> = {
  vdb: [
    { kind: "VDBSnapshot", spec: {}, want: aroundOwn("pre-snapshot", "post-snapshot") },
    { kind: "VDBRefresh", spec: {}, want: aroundOwn("pre-refresh", "post-refresh") },
    { kind: "VDBRewind", spec: {}, want: aroundOwn("pre-rewind", "post-rewind") },
  ],
  postgres: [
    {
      kind: "PostgresSnapshot",
      spec: { preSnapshot: own.sql("preSnapshot"), postSnapshot: own.sql("postSnapshot") },
      want: aroundOwn("pre-snapshot", "post-snapshot", ["preSnapshot", "postSnapshot"]),
    },
    {
      kind: "PostgresRefresh",
      spec: { preRefresh: own.sql("preRefresh"), postRefresh: own.command("postRefresh") },
      want: aroundOwn("pre-refresh", "post-refresh", ["preRefresh", "postRefresh"]),
    },
    {
      kind: "PostgresRewind",
      spec: { preRewind: own.command("preRewind"), postRewind: own.sql("postRewind") },
      want: aroundOwn("pre-rewind", "post-rewind", ["preRewind", "postRewind"]),
    },
  ],
};

function vdbOf(family: string): VdbOptions & { readonly namespace: string } {
  const { sql, command } = marking(family);
  const hooks = stages.flatMap((stage) =>
    [sql(`${stage} sql`), command(`${stage} command`)].map(({ type, content }) => ({ name: type, stage, type, script: content })),
  );
  return { name: `stages-${family}`, namespace, spec: { hooks } };
}

/** What was marked since the last look. */
async function marksOf(family: string): Promise<readonly string[]> {
  const taken = `WITH taken AS (DELETE FROM marks WHERE family = '${family}' RETURNING *)`;
  return (await productionSql(kubectl, `${taken} SELECT string_agg(what, ',' ORDER BY n) FROM taken`)).split(",");
}

describe("hook stages", { timeout: 900_000, concurrency: 2 }, () => {
  before(async () => {
    await productionSql(
      kubectl,
      `CREATE ROLE recorder LOGIN PASSWORD '${recorder}'; CREATE TABLE marks (n serial, family text, what text);
       GRANT INSERT ON marks TO recorder; GRANT USAGE ON SEQUENCE marks_n_seq TO recorder`,
    );
  });
  after(async () => {
    const kinds = [...Object.values(families).flatMap((all) => all.map(({ kind }) => kind.toLowerCase())), "volumesnapshot"];
    await kubectl.run(["delete", kinds.join(), "--all", "-n", namespace, "--timeout=240s"]);
    await Promise.all(Object.keys(families).map(async (family) => await deleteVdb(kubectl, vdbOf(family))));
    await productionSql(kubectl, "DROP TABLE IF EXISTS marks; DROP ROLE IF EXISTS recorder");
  });

  for (const [family, actions] of Object.entries(families))
    test(`post-create, then ${actions.map(({ kind }) => kind).join(", ")}`, async () => {
      const vdb = vdbOf(family);
      await makePasswordSecret(kubectl, vdb);
      await applyVdb(kubectl, vdb);
      await waitForPhase(kubectl, vdb, "Ready");
      deepEqual(await marksOf(family), both("post-create"));
      for (const { kind, spec, want } of actions) {
        const found = await runAction(kubectl, vdb, { kind, name: `stages-${kind.toLowerCase()}`, spec });
        equal(text(found, "status", "phase"), "Completed", text(found, "status"));
        deepEqual(await marksOf(family), want, kind);
      }
    });
});
