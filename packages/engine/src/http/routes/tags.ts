import { object, type Tag } from "@vdb/dct";
import { tags as storedTags } from "../../catalogue/rows.ts";
import { notFound } from "../../refusal.ts";
import { tags as tagsTogether } from "../../text-rules.ts";
import type { Collection } from "../collection.ts";
import { collections } from "../collections.ts";
import { deleteTagsBody, tagsBody } from "../contract/bodies.ts";
import type { BodyOf } from "../contract/rules.ts";
import { acting, ok, type Route, reading } from "../router.ts";
import type { ApiState } from "../state.ts";

type Doomed = BodyOf<typeof deleteTagsBody>;

/** The tags of an object: what somebody wants to remember about it. */
export const tagRoutes = (state: ApiState): readonly Route[] =>
  collections.flatMap((collection) => (collection.tags === undefined ? [] : routesOf(state, collection, collection.tags)));

const decodeRow = object({ tags: storedTags }, {});

function routesOf(
  { catalogue }: ApiState,
  { path, what }: Collection,
  { table, column = "tags", where, key: keyOf = (id) => id }: NonNullable<Collection["tags"]>,
): readonly Route[] {
  const condition = where ?? "id = ?";
  const tagsOf = (id: string): readonly Tag[] => {
    const row = catalogue.one(decodeRow, `SELECT ${column} AS tags FROM ${table} WHERE ${condition}`, keyOf(id));
    if (row === undefined) throw notFound(what, id);
    return row.tags;
  };
  const change = (id: string, to: (tags: readonly Tag[]) => readonly Tag[]): readonly Tag[] =>
    catalogue.transaction(() => {
      const changed = to(tagsOf(id));
      catalogue.run(`UPDATE ${table} SET ${column} = ? WHERE ${condition}`, JSON.stringify(changed), keyOf(id));
      return changed;
    });
  return [
    reading(`${path}/:id/tags`, {}, ({ params: { id = "" } }) => ok({ tags: tagsOf(id) })),
    acting({ path: `${path}/:id/tags`, body: tagsBody }, ({ tags }, { params: { id = "" } }) => ({
      status: 201,
      body: { tags: change(id, (present) => tagsTogether(together(present, tags), "body.tags")) },
    })),
    acting({ path: `${path}/:id/tags/delete`, body: deleteTagsBody }, (doomed, { params: { id = "" } }) => {
      change(id, (present) => present.filter((tag) => !isDoomed(tag, doomed)));
      return { status: 204, body: undefined };
    }),
  ];
}

/** Key and value together occur once. */
const together = (present: readonly Tag[], added: readonly Tag[]): readonly Tag[] => [
  ...present,
  ...added.filter((one, index) => ![...present, ...added.slice(0, index)].some((other) => isSame(one, other))),
];

const isSame = (left: Tag, right: Tag): boolean => left.key === right.key && left.value === right.value;

/** Without any field all tags are meant, as in DCT. */
function isDoomed(tag: Tag, { key, value, tags }: Doomed): boolean {
  if (tags !== undefined) return tags.some((one) => isSame(one, tag));
  return (key === undefined || tag.key === key) && (value === undefined || tag.value === value);
}
