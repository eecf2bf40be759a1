import type { ActionObject } from "@vdb/api";
import { vdbLogFields } from "../vdb/log-fields.ts";
import { keyText, targetOf } from "./context.ts";
import type { ActionWorld } from "./world.ts";

/** What each line of log about an action says: which it is, and what every line about its database says, which may be gone. */
export const logFieldsIn =
  ({ caches }: Pick<ActionWorld, "caches">) =>
  (action: ActionObject): Readonly<Record<string, unknown>> => {
    const target = targetOf(action);
    const vdb = caches.vdbs.get(target);
    return {
      action: `${action.kind} ${keyText(action.metadata)}`,
      ...(vdb === undefined ? { vdb: keyText(target) } : vdbLogFields(vdb)),
    };
  };
