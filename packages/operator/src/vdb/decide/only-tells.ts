import { isDeepStrictEqual } from "node:util";
import type { PostgresVDBStatus } from "@vdb/api";
import { type Condition, isTrue } from "kube-runtime";

type Status = Omit<PostgresVDBStatus, "conditions"> & { readonly conditions?: readonly Condition[] };

/**
 * Pure: whether a status differs from the stored one in words alone: how far the same phase has come. What is reached is no word: the
 * steps go by it, and so do people. Nor is what `setCondition` adds, which is known from one answer of the server and kept.
 */
export function onlyTells(stepConditions: ReadonlySet<string>, stored: Status, next: Status): boolean {
  if (stored.phase !== next.phase || !isUnderWay(stored) || !isUnderWay(next)) return false;
  const isWord = ({ type, status }: Condition): boolean =>
    type === "Reconciling" || (status !== "True" && (type === "Ready" || stepConditions.has(type)));
  const lasting = ({ conditions = [], ...rest }: Status): object => ({
    ...rest,
    conditions: conditions.filter((condition) => !isWord(condition)).toSorted((a, b) => (a.type < b.type ? -1 : 1)),
  });
  return isDeepStrictEqual(lasting(stored), lasting(next));
}

const isUnderWay = ({ conditions }: Status): boolean => isTrue(conditions, "Reconciling");
