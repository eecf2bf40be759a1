import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { decodeSettings } from "./settings.ts";
import { parseBytes, parseSeconds } from "./units.ts";

test("an empty configuration is the documented default", () => {
  deepEqual(decodeSettings(""), {
    name: "delphix-engine",
    groups: ["Untitled"],
    environments: [{ name: "dev-env", repository: "Empty vFile Repository" }],
    dsources: [],
    poolSizeBytes: undefined,
    poolFileSystem: "auto",
    reserveBytes: undefined,
  });
});

test("a dSource gets its defaults, the first group among them", () => {
  const yaml = `
groups: [Finance, Untitled]
pool: { size: 20Gi, reserve: 500M, fileSystem: xfs }
dsources:
  - { name: orders, host: db, user: link, interval: 1d }
`;
  const settings = decodeSettings(yaml);
  deepEqual(settings.dsources, [
    {
      name: "orders",
      host: "db",
      user: "link",
      group: "Finance",
      port: 5432,
      sslmode: "prefer",
      keep: 3,
      intervalSeconds: 86_400,
    },
  ]);
  equal(settings.poolSizeBytes, 20 * 2 ** 30);
  equal(settings.reserveBytes, 500_000_000);
  equal(settings.poolFileSystem, "xfs");
});

test("a dSource that is linked to nothing has a name and a group", () =>
  deepEqual(decodeSettings("dsources: [{ name: empty, empty: true }]").dsources, [
    { name: "empty", empty: true, group: "Untitled" },
  ]));

const refusals: readonly (readonly [yaml: string, says: RegExp])[] = [
  ["pool: { fileSystem: zfs }", /pool\.fileSystem: must be one of auto, btrfs, xfs/u],
  ["dsources: [{ host: db, user: u }]", /dsources\[0\]\.name: must be a string/u],
  ["dsources: [{ name: a, host: db, user: u, port: 70000 }]", /dsources\[0\]\.port: must be a port/u],
  ["dsources: [{ name: a, host: db, user: u, sslmode: maybe }]", /sslmode: must be one of disable/u],
  ["dsources: [{ name: a, host: db, user: u, sync: often }]", /sync: must be one of stream, copy/u],
  ["dsources: [{ name: a, host: db, user: u, group: Nowhere }]", /a is in group Nowhere/u],
  ["dsources: [{ name: a, host: db, user: u }, { name: a, host: db2, user: u }]", /Untitled\/a appears twice/u],
  ["dsources: [{ name: ' a', host: db, user: u }]", /not a name/u],
  ["dsources: [{ name: a, host: db, user: u, passwordSecret: { name: s } }]", /passwordSecret\.key/u],
  [
    "dsources: [{ name: a, host: db, user: u, sslMode: require }]",
    /dsources\[0\]\.sslMode: is not a known field; known fields: name, host/u,
  ],
  ["dsources: [{ name: a, host: db, user: u, password: p }]", /dsources\[0\]\.password: is not a known field/u],
  [
    "dsources: [{ name: a, host: db, user: u, passwordSecret: { name: s, key: k, keys: x } }]",
    /passwordSecret\.keys: is not a known field/u,
  ],
  ["pools: { size: 1Gi }", /configuration\.pools: is not a known field/u],
  ["pool: { sise: 1Gi }", /configuration\.pool\.sise: is not a known field/u],
  ["environments: [{ name: a, repo: b }]", /environments\[0\]\.repo: is not a known field/u],
  ["dsources: [{ name: a, host: db, user: u, interval: 59s }]", /dsources\[0\]\.interval: must be at least 60s/u],
  ["dsources: [{ name: a, host: db, user: u, interval: 0 }]", /interval: must be at least/u],
  ["dsources: [{ name: a, host: db, user: u, keep: 0 }]", /keep: must be a whole number of at least 1/u],
  ["dsources: [{ name: a, host: db, user: u, keep: 1.5 }]", /keep: must be a whole number/u],
  [
    "dsources: [{ name: a, host: db, user: u, sslmode: verify-full }]",
    /dsources\[0\]: sslmode verify-full needs sslRootCertSecret/u,
  ],
  ["dsources: [{ name: a, empty: false }]", /dsources\[0\]\.empty: must be true, or left out/u],
  ["dsources: [{ name: a, empty: true, host: db, user: u }]", /dsources\[0\]\.host: is not a known field/u],
  ["dsources: [{ name: a, empty: true, interval: 1d }]", /dsources\[0\]\.interval: is not a known field/u],
  ["name: 'a:b'", /configuration\.name: contains a colon/u],
  ["pool: { size: 99999999999P }", /is too large/u],
  ["pool: { size: 1.0e+300 }", /must be a whole number of bytes/u],
  ["dsources: [{ name: a, host: db, user: u, interval: 99999999999999999d }]", /is too large/u],
  ["pool: { size: 0 }", /pool\.size: must be greater than 0/u],
  ["pool: { reserve: -1 }", /pool\.reserve: must be greater than 0/u],
  ["groups: []", /at least one/u],
  ["groups: [A, A]", /A appears twice/u],
  ["pool: { size: huge }", /"huge" is not a size/u],
  ["dsources: [{ name: a, host: db, user: u, interval: often }]", /"often" is not a time/u],
  ["[]", /configuration: must be an object, not a list/u],
  ["name: [", /\[/u],
];
for (const [yaml, says] of refusals) test(`settings refused: ${yaml}`, () => throws(() => decodeSettings(yaml), says));

test("sizes and times as Kubernetes writes them", () => {
  equal(parseBytes("1.5Gi", ""), 1.5 * 2 ** 30);
  equal(parseBytes("10", ""), 10);
  equal(parseBytes("3M", ""), 3_000_000);
  equal(parseSeconds("1h30m", ""), 5400);
  for (const bad of ["", "10Zi", "-1", "Gi"]) throws(() => parseBytes(bad, "x"));
  for (const bad of ["", "10", "1x", "h"]) throws(() => parseSeconds(bad, "x"));
});
