import { apiVersionOf, type Kind } from "../kind.ts";
import type { Fields, Rule, Schema } from "../schema.ts";
import { actionConditions } from "../status/action-conditions.ts";
import { type ConditionTable, vdbConditions } from "../status/vdb-conditions.ts";
import { meaningOf } from "./limits.ts";

/** The reference page of a kind: what its objects do, every field, every rule, every condition. Same headings on each page. */
export function referencePage(kind: Kind): string {
  const { plural, group, shortNames } = kind;
  const names = [plural, kind.kind.toLowerCase(), ...shortNames].map((name) => `\`${name}\``).join(", ");
  const table = kind.group === "core.delphix.com" ? vdbConditions : actionConditions;
  return (
    [
      `# ${kind.kind}`,
      kind.description,
      `\`apiVersion: ${apiVersionOf(kind)}\`, \`kind: ${kind.kind}\`. In kubectl: ${names}, and \`delphix\` for all kinds together (\`kubectl get delphix\`). CRD: \`${plural}.${group}\`.`,
      "## Spec",
      ...sections("spec", kind.spec),
      ...rulesSection(kind),
      "## Status",
      ...sections("status", kind.status),
      "## Conditions",
      conditionTable(table),
      "## Columns of kubectl get",
      lines([
        "| column | field | meaning |",
        "| --- | --- | --- |",
        ...kind.columns.map(
          ({ name, jsonPath, description, wide }) =>
            `| ${name}${wide === true ? " (`-o wide`)" : ""} | \`${jsonPath}\` | ${description} |`,
        ),
      ]),
    ].join("\n\n") + "\n"
  );
}

/** One table per object, those inside it after it, in the order of the declaration. */
function sections(path: string, { properties, required }: Fields): string[] {
  const rows = Object.entries(properties).map(([name, field]) => row(name, field, required.includes(name)));
  const inner = Object.entries(properties).flatMap(([name, field]) => {
    const [nested, suffix] = "items" in field ? [field.items, "[]"] : [field, ""];
    if (!("properties" in nested)) return [];
    return [`### ${path}.${name}${suffix}`, nested.description, ...sections(`${path}.${name}${suffix}`, nested)];
  });
  return [lines(["| field | type | default | meaning |", "| --- | --- | --- | --- |", ...rows]), ...inner];
}

function row(name: string, field: Schema, required: boolean): string {
  const standard = field.default === undefined ? (required ? "**required**" : "") : `\`${json(field.default)}\``;
  return `| \`${name}\` | ${cell(typeWords(field))} | ${cell(standard)} | ${cell(meaning(field))} |`;
}

function meaning(field: Schema): string {
  const longest = "maxLength" in field && field.maxLength !== undefined ? ` At most ${field.maxLength} characters.` : "";
  return `${meaningOf(field)}${longest}`;
}

function typeWords(field: Schema): string {
  if ("quantity" in field) return "quantity";
  switch (field.type) {
    case "string":
      return field.enum?.map((value) => `\`${value}\``).join(", ") ?? (field.format === "date-time" ? "time" : "string");
    case "integer":
      return "integer";
    case "boolean":
      return "boolean";
    case "array":
      return `list of ${"properties" in field.items ? "objects" : typeWords(field.items)}${field.mapKeys === undefined ? "" : `, by ${field.mapKeys.join(" and ")}`}`;
    case "object":
    case "foreign":
      return "object";
    case "map":
      return "map of strings";
    default:
      return field satisfies never;
  }
}

/** The rules that are not the limit of one field: what the API server refuses, in its own words. */
function rulesSection(kind: Kind): string[] {
  const all = [...(kind.rules ?? []).map((rule) => told("", rule)), ...rulesIn("spec", kind.spec)];
  return all.length === 0 ? [] : ["## Refused by the API server", lines(all)];
}

function rulesIn(path: string, schema: Schema): string[] {
  const own = (schema.rules ?? []).map((rule) => told(path, rule));
  if ("items" in schema) return [...own, ...rulesIn(`${path}[]`, schema.items)];
  if (!("properties" in schema)) return own;
  return [...own, ...Object.entries(schema.properties).flatMap(([name, field]) => rulesIn(`${path}.${name}`, field))];
}

const told = (path: string, { fieldPath = "", message = "" }: Rule): string =>
  `- \`${`${path}${fieldPath}`.replace(/^\./u, "")}\`: ${message.replaceAll("<", "&lt;")}`;

function conditionTable(table: ConditionTable): string {
  const rows = Object.entries(table).map(([type, { meaning: what, reasons }]) => {
    const words = Object.entries(reasons).map(([reason, why]) => `\`${reason}\`: ${why}`);
    return `| \`${type}\` | ${cell(what)} | ${cell(words.join("; "))} |`;
  });
  return lines(["| type | meaning | reasons |", "| --- | --- | --- |", ...rows]);
}

const json = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;");
const lines = (all: readonly string[]): string => all.join("\n");
