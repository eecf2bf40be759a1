import { isMap, isNode, isScalar, type Node, parseDocument, type YAMLMap } from "yaml";

/** One value of a chart as its values.yaml has it: the comment beside or above it says what it is for. */
interface Value {
  readonly path: string;
  /** Undefined for a group of values. */
  readonly byDefault?: string;
  readonly meaning: string;
}

/** The page of all values of the charts, from the text of each one's values.yaml. */
export function valuesPage(charts: Readonly<Record<string, string>>): string {
  const sections = Object.entries(charts).map(([chart, text]) => `## ${chart}\n\n${valuesTable(text)}\n`);
  return `# Values of the charts

\`helm upgrade --install … -f my-values.yaml\` sets them. A misspelled value is refused. [Operations](../operations.md#installing) says which are often needed.

${sections.join("\n")}`;
}

function valuesTable(text: string): string {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error("values.yaml is no map");
  const rows = valuesIn(contents).map(({ path, byDefault, meaning }) => {
    const code = byDefault === undefined ? "" : `\`${byDefault.replaceAll("|", "\\|")}\``;
    return `| \`${path}\` | ${code} | ${meaning.replaceAll("|", "\\|")} |`;
  });
  return ["| value | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function valuesIn(map: YAMLMap, parent = ""): readonly Value[] {
  return map.items.flatMap(({ key, value }, nth): readonly Value[] => {
    if (!isScalar(key)) throw new Error(`values.yaml: a key under ${parent || "the top"} is no text`);
    const path = parent === "" ? String(key.value) : `${parent}.${String(key.value)}`;
    const node = isNode(value) ? value : undefined;
    // What stands above the first key is kept with its map; at the top that is about the chart.
    const above = nth === 0 && parent !== "" ? map.commentBefore : key.commentBefore;
    const inner = isMap(node) && node.flow !== true ? node : undefined;
    const meaning = [above, inner === undefined ? node?.comment : undefined].map(sentence).filter((part) => part !== "");
    if (inner === undefined) return [{ path, byDefault: shown(node), meaning: meaning.join(" ") }];
    const group = meaning.length === 0 ? [] : [{ path, meaning: meaning.join(" ") }];
    return [...group, ...valuesIn(inner, path)];
  });
}

const sentence = (comment: string | null | undefined): string =>
  (comment ?? "")
    .split("\n")
    .map((line) => line.trim())
    .join(" ")
    .trim();

const shown = (node: Node | undefined): string => {
  if (node === undefined) return "";
  if (isScalar(node) && typeof node.value === "string" && node.value !== "") return node.value;
  return JSON.stringify(node.toJSON());
};
