import type { ObjectMeta } from "../objects/object.ts";

/** Whether the metadata matches a selector as kubectl writes it. */
export type MetadataMatch = (metadata: ObjectMeta) => boolean;

/** Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws saying what it does not understand. */
export function parseLabelSelector(text: string): MetadataMatch {
  const tests = splitTerms(text).map(parseTerm);
  return ({ labels = {} }) => tests.every((test) => test(labels));
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

/** Splits at commas outside of parentheses. */
const splitTerms = (text: string): readonly string[] =>
  text
    .split(/,(?![^(]*\))/u)
    .map((term) => term.trim())
    .filter((term) => term !== "");

function parseTerm(term: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/u.exec(term);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return operator === "in"
      ? (labels) => values.includes(labels[key] ?? noLabel)
      : (labels) => !values.includes(labels[key] ?? noLabel);
  }
  const equality = /^([^!=\s]+)\s*(==?|!=)\s*([^!=\s]*)$/u.exec(term);
  if (equality !== null) {
    const [, key = "", operator, value = ""] = equality;
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = /^(!?)\s*([^\s!=(),]+)$/u.exec(term);
  if (exists === null) throw new TypeError(`the label selector term "${term}" is none that the API server knows`);
  const [, not, key = ""] = exists;
  return not === "!" ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
}

/** No label value can be this: they have no spaces. */
const noLabel = "no such label";

/** Reads `metadata.name=a,metadata.namespace!=b`. Undefined when other fields are asked for: those only the API server knows. */
export function parseFieldSelector(text: string): MetadataMatch | undefined {
  const tests = splitTerms(text).map(parseFieldTerm);
  const known = tests.filter((test) => test !== undefined);
  return known.length < tests.length ? undefined : (metadata) => known.every((test) => test(metadata));
}

function parseFieldTerm(term: string): MetadataMatch | undefined {
  const [, field, operator, value = ""] = /^metadata\.(name|namespace)\s*(==?|!=)\s*(\S*)$/u.exec(term) ?? [];
  if (field === undefined) return undefined;
  return ({ name, namespace = "" }) => ((field === "name" ? name : namespace) === value) === (operator !== "!=");
}
