import { status } from "@grpc/grpc-js";
import type { Message } from "./message.ts";
import { invalidArgument, RpcError } from "./rpc-error.ts";

export interface Entry {
  readonly id: string;
  /** As it stands in the answer. */
  readonly entry: object;
}

export interface PageRequest {
  /** 0: all. */
  readonly most: number;
  /** The id after which the page begins. */
  readonly after: string | undefined;
}

/** A token names the last entry that was given out: those made or deleted meanwhile move no page. */
const tokenPrefix = "after:";

export function pageRequestOf(message: Message): PageRequest {
  const most = message.number("maxEntries");
  if (most < 0) throw invalidArgument(`max_entries ${most} is negative`);
  const token = message.string("startingToken");
  if (token === "") return { most, after: undefined };
  if (!token.startsWith(tokenPrefix))
    throw new RpcError(status.ABORTED, `starting_token ${JSON.stringify(token)} is none of this driver: list from the start`);
  return { most, after: token.slice(tokenPrefix.length) };
}

/** The answer of a List call: a page of all entries, in the order of their ids. */
export function pageOf(entries: readonly Entry[], { most, after }: PageRequest): object {
  const left = entries
    .filter(({ id }) => after === undefined || id > after)
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const page = most === 0 ? left : left.slice(0, most);
  const last = page.at(-1);
  return {
    entries: page.map(({ entry }) => entry),
    nextToken: last === undefined || page.length === left.length ? "" : tokenPrefix + last.id,
  };
}
