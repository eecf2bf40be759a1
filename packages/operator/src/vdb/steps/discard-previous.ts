import { done } from "kube-runtime";
import { makeRoom } from "../../data/content-store.ts";
import type { PlainVdbStep } from "../context.ts";
import { fateOfPrevious } from "../decide/previous.ts";

/** How soon what the storage keeps is asked for again, in seconds. */
const [underWaySeconds, keptSeconds] = [2, 60];

/**
 * Discards the previous data when its time has passed: first the data, then what the status says of it, so that a crash in between
 * leads here again. The database does not depend on it: what the storage keeps is an event, and is asked for again.
 */
export const discardPrevious: PlainVdbStep = {
  name: "discardPrevious",
  run: async ({ run, vdb, world }, signal) => {
    const fate = fateOfPrevious(vdb, run.clock.now());
    if (fate.kind === "stays") return done();
    if (fate.kind === "staysFor") return done({ recheckSeconds: fate.seconds });
    const { previous, content } = vdb.status;
    const { id = "" } = previous ?? {};
    const store = world.sources.holding(vdb)?.content;
    if (store === undefined) return done();
    const left = await makeRoom(store, { client: run.client, vdb }, [content], signal);
    switch (left.kind) {
      case "underWay":
        return done({ recheckSeconds: underWaySeconds });
      case "kept":
        run.event("Warning", "PreviousKept", `the previous data ${id} is to go, and stays for now: ${left.message}`);
        return done({ recheckSeconds: keptSeconds });
      case "gone":
        delete run.status.previous;
        run.event("Normal", "PreviousDiscarded", `the previous data ${id} is discarded: the time to return to it has passed`);
        return done();
      default:
        return left satisfies never;
    }
  },
};
