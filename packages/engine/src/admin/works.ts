import { addApiKey, apiKeys, revokeApiKey } from "../catalogue/api-keys.ts";
import { notFound } from "../refusal.ts";
import type { Storage } from "../storage.ts";
import { name } from "../text-rules.ts";
import { backUp } from "./backup.ts";
import { check } from "./check.ts";
import type { AdminWork } from "./socket.ts";

/** What a running engine does for an administrator; commands.ts is the other end. */
export const adminWorks = (
  { catalogue, pool }: Pick<Storage, "catalogue" | "pool">,
  folder: string,
  stop: () => void,
): Readonly<Record<string, AdminWork>> => ({
  "add-key": (given) => ({ key: addApiKey(catalogue, name(given, "the key's name")) }),
  "list-keys": () => ({ keys: apiKeys(catalogue) }),
  "revoke-key": (given) => {
    if (!revokeApiKey(catalogue, given)) throw notFound("API key", given);
  },
  check: () => check({ catalogue, pool }),
  backup: () => backUp(catalogue, folder),
  stop: () => void setImmediate(stop), // the answer first
});
