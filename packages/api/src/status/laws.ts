import type { ObjectOf } from "../kind.ts";
import type { ActionKind } from "../kinds.ts";
import type { PostgresVDB } from "../vdb/postgres-vdb.ts";
import { actionLaws } from "./action-laws.ts";
import { commonLaws } from "./common-laws.ts";
import { vdbLaws } from "./vdb-laws.ts";

export type ActionObject = ObjectOf<ActionKind>;
/** An object whose status the laws speak of. */
export type StatusObject = PostgresVDB | ActionObject;

/**
 * What is true of every status at every moment, whoever wrote it. A number never changes its meaning: tests and commits cite it.
 * `broken` tells in what way the object breaks the law; undefined: it holds.
 */
export interface Law<T> {
  readonly number: number;
  readonly says: string;
  /** `before` is the same object as it was read earlier, for laws on changes; `isNext`: there was no other status between the two. */
  readonly broken: (object: T, before: T | undefined, isNext: boolean) => string | undefined;
}

/**
 * The laws that a status breaks, as lines for people. Empty: it is sound. Give `before` to check the change as well, and say that it is
 * not `isNext` when the object may have had another status between the two, as it may for whoever asks now and then.
 */
export function brokenLaws(object: StatusObject, before?: StatusObject, { isNext = true } = {}): readonly string[] {
  const same = before?.metadata.uid === object.metadata.uid ? before : undefined;
  return [...told(commonLaws, object, same, isNext), ...ownLaws(object, same, isNext)];
}

function ownLaws(object: StatusObject, before: StatusObject | undefined, isNext: boolean): string[] {
  if (isVdb(object)) return told(vdbLaws, object, before !== undefined && isVdb(before) ? before : undefined, isNext);
  return told(actionLaws, object, before !== undefined && !isVdb(before) ? before : undefined, isNext);
}

const isVdb = (object: StatusObject): object is PostgresVDB => object.kind === "PostgresVDB";

function told<T extends StatusObject>(laws: readonly Law<T>[], object: T, before: T | undefined, isNext: boolean): string[] {
  return laws.flatMap(({ number, says, broken }) => {
    const how = broken(object, before, isNext);
    return how === undefined ? [] : [`law ${number} (${says}): ${object.kind} ${object.metadata.name}: ${how}`];
  });
}
