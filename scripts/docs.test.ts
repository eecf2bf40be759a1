/** What the documentation says of reasons, manifests, rights, folders and other pages is so. */
import { deepEqual, ok } from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { actionConditions, kinds, vdbConditions } from "../packages/api/src/index.ts";

const root = join(import.meta.dirname, "..");
const text = (file: string): string => readFileSync(join(root, file), "utf8");
const sources = (pattern: string): string =>
  globSync(pattern, { cwd: root, exclude: ["**/*.test.ts"] })
    .map(text)
    .join("\n");

const table = Object.fromEntries(
  Object.entries(vdbConditions).map(([condition, { reasons }]) => [condition, Object.keys(reasons).toSorted()]),
);
const allReasons = new Set(Object.values(table).flat());

/** The first cells of a section's table rows: `| `Name` | … |`. */
const firstCells = (section: string): string[] => [...section.matchAll(/^\| `(\w+)` \|/gmu)].map(([, name = ""]) => name);
const sections = (page: string): (readonly [string, string])[] =>
  text(page)
    .split(/^## /mu)
    .map((section) => [section.split("\n", 1)[0] ?? "", section] as const);

test("troubleshooting has one row for each reason of each condition, and no other", () => {
  const documented = sections("docs/troubleshooting.md").filter(([heading]) => Object.hasOwn(table, heading));
  deepEqual(Object.fromEntries(documented.map(([heading, section]) => [heading, firstCells(section).toSorted()])), table);
});

test("the table of conditions names each condition with its reasons, and no other", () => {
  const [, section = ""] = sections("docs/postgresvdb.md").find(([heading]) => heading === "Conditions and reasons") ?? [];
  const rows = [...section.matchAll(/^\| `(\w+)` \|.*\|(.*)\|$/gmu)].map(([, condition = "", reasons = ""]) => [
    condition,
    [...reasons.matchAll(/`(\w+)`/gu)].map(([, reason = ""]) => reason).toSorted(),
  ]);
  deepEqual(Object.fromEntries(rows), table);
});

test("the page on actions has each condition and each reason of theirs, and no other", () => {
  const [, section = ""] = sections("docs/actions.md").find(([heading]) => heading === "Conditions and reasons") ?? [];
  const cells = [...section.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gmu)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/gu)].map(([, name = ""]) => name),
  );
  const reasons = Object.values(actionConditions).flatMap((row) => Object.keys(row.reasons));
  deepEqual([...new Set(cells)].toSorted(), [...new Set([...Object.keys(actionConditions), ...reasons])].toSorted());
});

test("every reason that an action is given has its row", () => {
  const code = sources("packages/operator/src/{action/**,data/*/content}/*.ts");
  const outcome = /\b(?:terminal|retry|after|waiting)\(\s*(?:[\w.(), ]+,\s*)?"([A-Z]\w+)"/gu;
  const given = [outcome, /\bbeginRollback\(ctx, "(\w+)"/gu, /\breason: "([A-Z]\w+)"/gu, /ActionFailed\(\s*"(\w+)"/gu];
  const known = new Set<string>(Object.values(actionConditions).flatMap((row) => Object.keys(row.reasons)));
  const found = given.flatMap((pattern) => [...code.matchAll(pattern)].map(([, reason = ""]) => reason));
  ok(found.length > 10, "the patterns still find reasons");
  deepEqual(
    [...new Set(found)].filter((reason) => !known.has(reason)),
    [],
  );
});

test("reasons beside the table are the code's, and every reason the operator gives has its row", () => {
  const [, section = ""] = sections("docs/troubleshooting.md").find(([heading]) => heading.startsWith("Reasons that any")) ?? [];
  const others = firstCells(section);
  const code = sources("packages/{operator,runtime}/src/**/*.ts");
  const pages = text("docs/postgresvdb.md") + text("docs/troubleshooting.md");
  const notYet = [...pages.matchAll(/`(\w+NotSupported)`/gu)].map(([, reason = ""]) => reason);
  deepEqual(
    [...others, ...notYet].filter((reason) => !new RegExp(`\\b${reason}\\b`, "u").test(code)),
    [],
    "not in the code any more",
  );
  const outcome = /\b(?:terminal|retry|after|waiting)\(\s*(?:[\w.]+,\s*)?"([A-Z]\w+)"/gu;
  const field = /\breason: "([A-Z]\w+)"/gu;
  const operator = sources("packages/operator/src/vdb/**/*.ts") + sources("packages/operator/src/data/{*,csi/*,dct/*}.ts");
  const given = [outcome, field].flatMap((pattern) => [...operator.matchAll(pattern)].map(([, reason = ""]) => reason));
  ok(given.length > 20, "the patterns still find reasons");
  deepEqual(
    [...new Set(given)].filter((reason) => !allReasons.has(reason) && !others.includes(reason)),
    [],
    "not in the documentation",
  );
});

test("every event that is no condition's has its row, and there is no other", () => {
  const [, section = ""] =
    sections("docs/troubleshooting.md").find(([heading]) => heading === "Events without a condition") ?? [];
  const code = sources("packages/operator/src/**/*.ts");
  const given = [...code.matchAll(/\bevent\(\s*"(?:Normal|Warning)",\s*"(\w+)"/gu)].map(([, reason = ""]) => reason);
  deepEqual(firstCells(section).toSorted(), [...new Set(given)].toSorted());
});

test("each threat in docs/security.md names tests that there are", () => {
  const [, section = ""] = sections("docs/security.md").find(([heading]) => heading === "Threats") ?? [];
  const rows = [...section.matchAll(/^\| (?!threat|---)([^|]+) \|[^|]+\|([^|]+)\|$/gmu)];
  ok(rows.length > 10, `${rows.length} rows`);
  const wrong: string[] = [];
  for (const [, threat = "", tests = ""] of rows) {
    const named = [...tests.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+\.test\.ts)\)/gu)];
    if (named.length === 0) wrong.push(`${threat}: no test`);
    for (const [, name = "", file = ""] of named)
      if (!existsSync(join(root, file)) || !text(file).includes(name)) wrong.push(`${file}: ${name}`);
  }
  deepEqual(wrong, []);
});

test("a PostgresVDB shown in the documentation is one of the samples", () => {
  const samples = globSync("samples/*.yaml", { cwd: root }).map((file): unknown => parse(text(file)));
  const shown = globSync("{README.md,docs/*.md}", { cwd: root }).flatMap((file) =>
    [...text(file).matchAll(/^```yaml\n([\s\S]*?)^```/gmu)]
      .map(([, yaml = ""]) => yaml)
      .filter((yaml) => /^kind: PostgresVDB$/mu.test(yaml)),
  );
  ok(shown.length > 0, "there is one");
  for (const yaml of shown)
    ok(
      samples.some((sample) => JSON.stringify(sample) === JSON.stringify(parse(yaml))),
      yaml,
    );
});

test("every right that the charts give is in docs/security.md", () => {
  const templates = globSync("charts/*/templates/**/*.yaml", { cwd: root }).map(text).join("\n");
  const resources = [...templates.matchAll(/\bresources: \[([a-z/, ]+)\]/gu)].flatMap(([, names = ""]) => names.split(/,\s*/u));
  ok(resources.length > 10, "the pattern still finds rules");
  const page = text("docs/security.md");
  deepEqual(
    [...new Set(resources)].filter((resource) => !page.includes(`\`${resource}\``)),
    [],
  );
});

test("the users' roles name every kind", () => {
  const roles = text("charts/delphix-operator/templates/user-roles.yaml").split("\n---\n");
  for (const role of roles) {
    const named = [...role.matchAll(/\bresources: \[([a-z, ]+)\]/gu)].flatMap(([, names = ""]) => names.split(", "));
    deepEqual(named.toSorted(), kinds.map(({ plural }) => plural).toSorted());
  }
});

/** A heading's anchor as GitHub makes it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

test("every relative link leads to a file, and its anchor to a heading", () => {
  const broken: string[] = [];
  for (const page of globSync("{*.md,docs/**/*.md,charts/*/README.md,packages/*/README.md}", { cwd: root }))
    for (const [, link = ""] of text(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/gu)) {
      const [path = "", fragment] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      const headings = (): string[] => [...text(target).matchAll(/^#+ (.*)$/gmu)].map(([, heading = ""]) => anchor(heading));
      if (!existsSync(join(root, target)) || (fragment !== undefined && !headings().includes(fragment)))
        broken.push(`${page}: ${link}`);
    }
  deepEqual(broken, []);
});

const folders = (path: string): string[] =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .map(({ name }) => name);

test("the layout in docs/development.md names the folders that there are", () => {
  const [, layout = ""] = /## Layout\n+```\n([\s\S]*?)```/u.exec(text("docs/development.md")) ?? [];
  const named = new Set<string>();
  const absent: string[] = [];
  let parent = "";
  for (const [, indent = "", folder = "", rest = ""] of layout.matchAll(/^( *)([\w-]+)\/(.*)$/gmu)) {
    const path = indent === "" ? folder : `${parent}/${folder}`;
    if (indent === "") parent = folder;
    named.add(path);
    const inner = [...rest.matchAll(/(?<![\w/])([\w-]+)\//gu)].map(([, name = ""]) => name);
    const isThere = (name: string): boolean =>
      [`${path}/${name}`, `${path}/src/${name}`, name].some((one) => existsSync(join(root, one)));
    absent.push(...inner.filter((name) => !isThere(name)).map((name) => `${path}/${name}`));
    if (!existsSync(join(root, path))) absent.push(path);
  }
  const missing = [...folders("."), ...folders("packages").map((name) => `packages/${name}`)].filter((path) => !named.has(path));
  deepEqual({ absent, missing }, { absent: [], missing: [] });
});
