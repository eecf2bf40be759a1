import { type ActionKind, type ActionObject, actionKinds, isFinished, type PostgresVDB, resourceOf } from "@vdb/api";
import { MissingRight } from "./missing-right.ts";
import type { Session } from "./session.ts";

/** The database that an action works on. */
export function targetOf({ spec, metadata }: ActionObject): { readonly namespace: string; readonly name: string } {
  const { name, namespace = metadata.namespace } = "vdbRef" in spec ? spec.vdbRef : spec.targetRef;
  return { namespace, name };
}

/** The actions of a namespace, and what of them the user may not see. */
export interface SeenActions {
  readonly actions: readonly ActionObject[];
  /** One sentence for each kind that is hidden. */
  readonly hidden: readonly string[];
}

/** Actions on the database, those of its own namespace, the oldest first. */
export async function actionsOn(
  { client }: Session,
  { metadata: { namespace, name } }: PostgresVDB,
  signal: AbortSignal,
): Promise<SeenActions> {
  const all = await Promise.all(
    actionKinds.map(async (kind): Promise<SeenActions> => {
      try {
        const { items } = await client.list(resourceOf<ActionKind>(kind), { namespace }, signal);
        return { actions: items, hidden: [] };
      } catch (error) {
        if (error instanceof MissingRight) return { actions: [], hidden: [error.message] };
        throw error;
      }
    }),
  );
  const own = all
    .flatMap(({ actions }) => actions)
    .filter((action) => targetOf(action).name === name && targetOf(action).namespace === namespace);
  return { actions: own.toSorted(byCreation), hidden: all.flatMap(({ hidden }) => hidden) };
}

/** The order in which the operator gives them their turn. */
const byCreation = ({ metadata: a }: ActionObject, { metadata: b }: ActionObject): number =>
  Date.parse(a.creationTimestamp) - Date.parse(b.creationTimestamp) || (a.uid < b.uid ? -1 : 1);

/** Those that have not ended, without the one whose turn it is. */
export const waitingOf = (actions: readonly ActionObject[], { status }: PostgresVDB): readonly ActionObject[] =>
  actions.filter((action) => !isFinished(action) && action.metadata.uid !== status.activeAction?.uid);

/** `vdbrefresh`: the kind as a command names it. */
export const kindWord = ({ kind }: { readonly kind: string }): string => kind.toLowerCase();
