import { deepEqual, doesNotThrow, partialDeepStrictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { decodeNewConnection } from "./config/connection-fields.ts";
import { decodeSettings } from "./config/settings.ts";
import { folder, freeForm, host, name, secretWord, tags } from "./text-rules.ts";

const named = (at: string): RegExp => new RegExp(`^DecodeError: ${at}: `, "u");
const refusedBy = (decode: (value: unknown, at: string) => unknown, value: unknown): void =>
  throws(() => decode(value, "x"), { name: "DecodeError", message: /^x/u });

export const badNames: readonly string[] = [
  "",
  "x".repeat(257),
  "x".repeat(100_000),
  "a\0b",
  "a\u001bb",
  "a\nb",
  "a\u2028b",
  "\ud800",
  "a\udc00b",
  "a\u202eb",
  "../../x",
  "a/b",
  "a\\b",
  ".",
  "..",
  " a",
  "a ",
  `both ' and "`,
];
const goodNames: readonly string[] = [
  "a",
  "x".repeat(256),
  "😀".repeat(256),
  "Größe 1",
  "a..b",
  "it's",
  'so-called "a"',
  "a:b",
  "日本語",
];

/** YAML writes any text as JSON does. */
const settings = (dsource: object): void =>
  void decodeSettings(JSON.stringify({ dsources: [{ name: "a", host: "db", user: "u", ...dsource }] }));

for (const bad of badNames) {
  test(`no name in API and configuration: ${JSON.stringify(bad.slice(0, 20))} of ${bad.length}`, () => {
    refusedBy(name, bad);
    for (const [field, text] of [
      ["name", { name: bad }],
      ["groups", { groups: [bad] }],
      ["environments", { environments: [{ name: bad }] }],
      ["repository", { environments: [{ name: "e", repository: bad }] }],
    ] as const)
      throws(() => decodeSettings(JSON.stringify(text)), /configuration\./u, field);
    throws(() => settings({ name: bad }), /configuration\.dsources\[0\]\.name/u);
  });
}

for (const good of goodNames)
  test(`a name: ${good.slice(0, 20)}`, () => {
    name(good, "x");
    settings({ name: good });
  });

const badHosts: readonly string[] = [
  "",
  "/var/run/postgresql",
  "./socket",
  "@abstract",
  "db1,db2",
  "host=db2",
  "db port=5433",
  " db",
  "db\n",
  "db\0",
  "db:5432",
  "[::1]",
  "postgresql://db",
  "db/..",
  "-h",
  "x".repeat(254),
];
for (const bad of badHosts)
  test(`no host in API and configuration: ${JSON.stringify(bad.slice(0, 30))}`, () => {
    refusedBy(host, bad);
    throws(() => settings({ host: bad }), /configuration\.dsources\[0\]\.host/u);
    throws(() => decodeNewConnection({ host: bad, user: "u" }, "body.parameters"), named("body\\.parameters\\.host"));
  });
for (const good of ["db", "db.example.com", "db.example.com.", "orders_db", "10.0.0.1", "::1", "fe80::1%eth0", "2001:db8::1"])
  test(`a host: ${good}`, () => partialDeepStrictEqual(decodeNewConnection({ host: good, user: "u" }, "p"), { host: good }));

test("role and database names are texts, in API and configuration", () => {
  for (const bad of ["", "a\0b", "\ud800", "x".repeat(257)])
    for (const field of ["user", "database"]) {
      throws(() => settings({ [field]: bad }), new RegExp(`configuration\\.dsources\\[0\\]\\.${field}`, "u"));
      throws(() => decodeNewConnection({ host: "db", user: "u", [field]: bad }, "p"), named(`p\\.${field}`));
    }
  doesNotThrow(() => settings({ user: "link/reader", database: "a b" }));
});

test("what becomes part of a path leads nowhere else", () => {
  for (const bad of ["..", "../x", "a/b", "", "x".repeat(254)]) {
    refusedBy(secretWord, bad);
    throws(() => settings({ passwordSecret: { name: bad, key: "k" } }), /passwordSecret\.name/u);
  }
  for (const bad of ["/mnt/../etc", "..", "a\0", "", "x".repeat(257)]) refusedBy(folder, bad);
  deepEqual(folder("/mnt/postgres", "x"), "/mnt/postgres");
});

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

test("parameters in a free form are kept as they came, or refused", () => {
  const given = { "a key": ["\n\t", 1.5, true, null, { b: [] }] };
  deepEqual(freeForm(given, "x"), given);
  const refused: readonly unknown[] = [
    { a: "x".repeat(20_000) },
    { a: nested(40) },
    JSON.parse(`{"a": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
    { a: "\0" },
    { "a\0": 1 },
    { a: ["\ud800"] },
    JSON.parse('{"a": 1e999}'),
    [],
    "text",
  ];
  for (const bad of refused) refusedBy(freeForm, bad);
});

const many = (length: number, value: string): readonly object[] => Array.from({ length }, () => ({ key: "k", value }));

test("tags are bounded one by one and together", () => {
  tags(many(1000, "v"), "x");
  refusedBy(tags, many(1001, "v"));
  refusedBy(tags, [{ key: "", value: "v" }]);
  refusedBy(tags, [{ key: "k", value: "v".repeat(4001) }]);
  refusedBy(tags, many(10, "v".repeat(4000)));
});
