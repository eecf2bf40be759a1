import type { FilterFields } from "./filter/match.ts";
import type { ApiState } from "./state.ts";

/** What every object of the wire has. */
type Listed = { readonly id: string };

export interface Collection {
  readonly path: string;
  /** For messages: "there is no VDB 7". */
  readonly what: string;
  readonly fields: FilterFields;
  readonly sortable: readonly string[];
  readonly defaultSort: string;
  all(state: ApiState): readonly Listed[];
  /** One object, without making all of them; may count bytes that a list shows only when they are known. */
  byId(state: ApiState, id: string): Listed | undefined | Promise<Listed | undefined>;
}

/** For collections that hold a handful. */
export const fewObjects = (all: Collection["all"]): Pick<Collection, "all" | "byId"> => ({
  all,
  byId: (state, id) => all(state).find((one) => one.id === id),
});

/** Sub-fields of a list of tags, and what says where an object lives: part of several collections. */
export const tagFields = { "tags.key": "text", "tags.value": "text" } as const;
export const engineFields = { engine_id: "text", engine_name: "text" } as const;
