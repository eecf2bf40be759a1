import type { QueryRules } from "./contract/queries.ts";
import type { FieldType, FilterFields } from "./filter/match.ts";
import type { ApiState } from "./state.ts";

/** What every object of the wire has. */
type Listed = { readonly id: string };

/** A field by which a collection is searched, and perhaps sorted. */
export interface Field {
  readonly type: FieldType;
  readonly sortable: boolean;
}
export type Fields = Readonly<Record<string, Field>>;

export interface Collection {
  readonly path: string;
  /** For messages: "there is no VDB 7". */
  readonly what: string;
  /** One table for searching and sorting: every field that is served and that the public document allows, and some of later ones. */
  readonly fields: Fields;
  readonly defaultSort: string;
  /** Where the catalogue has the tags of its objects; left out: they have none. */
  readonly tags?: {
    readonly table: string;
    /** Left out: `tags`. */
    readonly column?: string;
    /** Left out: `id = ?`. */
    readonly where?: string;
    /** From the id on the wire to what `where` asks for; left out: the same. */
    readonly key?: (id: string) => string;
  };
  /** The query parameters of its list. */
  readonly query: QueryRules;
  /** `whole`: with the fields that a list leaves out because they may be large; a filter asks for some of them. */
  all(state: ApiState, whole: boolean): readonly Listed[];
  /** Fields that may be large: only the answer for one object has them. */
  readonly large: readonly string[];
  /** One object, without making all of them; may count bytes that a list shows only when they are known. */
  byId(state: ApiState, id: string): Listed | undefined | Promise<Listed | undefined>;
}

/** For collections that hold a handful. */
export const fewObjects = (all: (state: ApiState) => readonly Listed[]): Pick<Collection, "all" | "byId" | "large"> => ({
  all,
  large: [],
  byId: (state, id) => all(state).find((one) => one.id === id),
});

const field = (type: FieldType, sortable: boolean): Field => ({ type, sortable });
/** Searched and sorted by. */
export const text = field("text", true);
export const number = field("number", true);
export const boolean = field("boolean", true);
export const date = field("date", true);
/** Searched by only. */
export const searchOnly = {
  text: field("text", false),
  number: field("number", false),
  boolean: field("boolean", false),
  date: field("date", false),
} as const;

export const filterFields = (fields: Fields): FilterFields =>
  Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, type]));
export const sortableFields = (fields: Fields): readonly string[] =>
  Object.entries(fields).flatMap(([name, { sortable }]) => (sortable ? [name] : []));

/** Sub-fields of a list of tags, and what says where an object lives: part of several collections. */
export const tagFields = { "tags.key": searchOnly.text, "tags.value": searchOnly.text } as const;
export const engineFields = { engine_id: text, engine_name: text } as const;
