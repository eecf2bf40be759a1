import { ActionFailed } from "../action-failed.ts";
import type { ContentStore, Deed } from "../content-store.ts";

const refuse = async (): Promise<never> => {
  throw new ActionFailed("StorageFailed", "this storage does nothing");
};
const refused: Deed = { look: refuse, begin: refuse, end: refuse };

/** For tests of what does not touch it: a storage that has nothing and refuses everything. */
export const quietContent: ContentStore = {
  snapshot: { ...refused, intend: refuse, named: () => ({}), ready: refuse, discard: refuse },
  bookmark: undefined,
  choose: refuse,
  present: () => ({}),
  prepare: refused,
  cutOver: refused,
  brought: refuse,
  isCutOver: async () => false,
  giveBack: refuse,
  clear: async () => ({ kind: "gone" }),
  discard: async () => ({ kind: "gone" }),
  needed: async () => ({ kind: "told", value: new Map() }),
  standing: async () => ({ kind: "unknown" }),
};
