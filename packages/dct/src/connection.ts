import { createDctClient, type DctClient } from "./client.ts";
import { type Credentials, sameCredentials } from "./credentials.ts";
import { DctError } from "./errors.ts";

/** The DCT that the credentials name: one client for all callers, a new one when the credentials change. */
export interface DctConnection extends AsyncDisposable {
  /**
   * Calls DCT. A refused key makes it read the credentials again, and run `work` once more when they have changed.
   * The client is `work`'s as long as it runs, whatever becomes of the credentials meanwhile, and no longer.
   * Throws what `work` throws, and what reading the credentials throws.
   */
  readonly call: <T>(work: (client: DctClient) => Promise<T>, signal: AbortSignal) => Promise<T>;
}

export interface DctConnectionOptions {
  /** Reads the credentials, throwing DctNotConfigured where there are none. */
  readonly read: (signal: AbortSignal) => Promise<Credentials>;
  readonly connect?: (credentials: Credentials) => DctClient;
  /** Credentials that were found are believed so long, 30 unless told; where there are none they are asked for every time. */
  readonly believedSeconds?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Lent {
  readonly credentials: Credentials;
  readonly client: DctClient;
  /** When the credentials were asked for last: order and time. */
  asked: number;
  askedAt: number;
  calls: number;
}

export function createDctConnection(options: DctConnectionOptions): DctConnection {
  const { read, connect = createDctClient, believedSeconds = 30, now: clock = () => performance.now() } = options;
  /** Every client that is not closed yet: the current one, and older ones that calls still use. */
  const open = new Set<Lent>();
  let current: Lent | undefined;
  let asked = 0;
  let closed = false;

  const close = async (lent: Lent): Promise<void> => {
    open.delete(lent);
    await lent.client[Symbol.asyncDispose]();
  };

  /** Counted before anything is waited for: a client between its choice and its first call must not be closed. */
  const take = (lent: Lent): Lent => {
    lent.calls += 1;
    return lent;
  };
  const giveBack = async (lent: Lent): Promise<void> => {
    lent.calls -= 1;
    if (lent.calls === 0 && lent !== current && open.has(lent)) await close(lent);
  };

  /** No wait between comparing and replacing: of callers that read at the same time, the first one connects for all. */
  const renewed = async (signal: AbortSignal): Promise<Lent> => {
    const order = (asked += 1);
    const askedAt = clock();
    const credentials = await read(signal);
    if (closed) throw new DctError("unreachable", "the connection to DCT is closed: the program stops");
    const before = current;
    // What was asked for earlier and answered later may be out of date.
    if (before !== undefined && before.asked > order) return take(before);
    if (before !== undefined && sameCredentials(before.credentials, credentials))
      return take(Object.assign(before, { asked: order, askedAt }));
    const fresh = { credentials, client: connect(credentials), asked: order, askedAt, calls: 1 };
    open.add(fresh);
    current = fresh;
    if (before?.calls === 0) await close(before);
    return fresh;
  };

  const believed = (): Lent | undefined =>
    current !== undefined && clock() - current.askedAt < believedSeconds * 1000 ? take(current) : undefined;

  return {
    call: async (work, signal) => {
      const first = believed() ?? (await renewed(signal));
      let second: Lent | undefined;
      try {
        return await work(first.client);
      } catch (error) {
        if (!(error instanceof DctError) || !mayBeTheCredentials(error)) throw error;
        second = await renewed(signal);
        if (second === first) throw error;
        return await work(second.client);
      } finally {
        await giveBack(first);
        if (second !== undefined) await giveBack(second);
      }
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      current = undefined;
      await Promise.all([...open].map(close));
    },
  };
}

/** An engine that was installed anew has another key, another certificate and perhaps another address. */
const mayBeTheCredentials = ({ kind }: DctError): boolean => kind === "unauthorized" || kind === "unreachable";
