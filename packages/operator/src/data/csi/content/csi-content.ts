import { ActionFailed } from "../../action-failed.ts";
import type { ContentStore, Deed } from "../../content-store.ts";
import { byVolumeSnapshot } from "./by-volume-snapshot.ts";
import { firstOf } from "./snapshot-way.ts";

const refuse = async (): Promise<never> => {
  throw new ActionFailed("VdbNotReady", "this version refreshes and rewinds databases of dct-source alone");
};
const refused: Deed = { look: refuse, begin: refuse, end: refuse };

/** Volumes of any CSI driver: VolumeSnapshots alone. Other data in their place is refused before anything is stopped. */
export const csiContent: ContentStore = {
  snapshot: firstOf([byVolumeSnapshot], ""),
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
  needed: async () => ({ kind: "told", value: new Map() }), // the driver refuses by itself
  standing: async () => ({ kind: "unknown" }),
};
