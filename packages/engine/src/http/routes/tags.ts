import type { Tag } from "@vdb/dct";
import { vdbById } from "../../catalogue/datasets.ts";
import type { VdbRow } from "../../catalogue/rows.ts";
import { notFound } from "../../refusal.ts";
import { tags as tagsTogether } from "../../text-rules.ts";
import { deleteTagsBody, tagsBody } from "../contract/bodies.ts";
import type { BodyOf } from "../contract/rules.ts";
import { acting, ok, type Route, reading } from "../router.ts";
import type { ApiState } from "../state.ts";

type Doomed = BodyOf<typeof deleteTagsBody>;

/** A VDB's tags: what somebody wants to remember about it. */
export const tagRoutes = ({ catalogue }: ApiState): readonly Route[] => {
  const vdbOf = (id: string): VdbRow => {
    const vdb = vdbById(catalogue, id);
    if (vdb === undefined) throw notFound("VDB", id);
    return vdb;
  };
  const change = (id: string, to: (tags: readonly Tag[]) => readonly Tag[]): readonly Tag[] =>
    catalogue.transaction(() => {
      const changed = to(vdbOf(id).tags);
      catalogue.run("UPDATE vdb SET tags = ? WHERE id = ?", JSON.stringify(changed), id);
      return changed;
    });
  return [
    reading("/vdbs/:id/tags", {}, ({ params: { id = "" } }) => ok({ tags: vdbOf(id).tags })),
    acting({ path: "/vdbs/:id/tags", body: tagsBody }, ({ tags }, { params: { id = "" } }) => ({
      status: 201,
      body: { tags: change(id, (present) => tagsTogether(together(present, tags), "body.tags")) },
    })),
    acting({ path: "/vdbs/:id/tags/delete", body: deleteTagsBody }, (doomed, { params: { id = "" } }) => {
      change(id, (present) => present.filter((tag) => !isDoomed(tag, doomed)));
      return { status: 204, body: undefined };
    }),
  ];
};

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
