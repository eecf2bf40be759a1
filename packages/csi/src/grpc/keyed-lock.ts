/**
 * Lets one piece of work run at a time for each key; the others wait for their turn.
 * One process alone is guarded: what a second one does is found by looking, not by locking.
 */
export class KeyedLock {
  /** The last piece of work of each key; removed when it ended and no other came after it. */
  readonly #tails = new Map<string, Promise<unknown>>();

  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(() => {
      signal.throwIfAborted();
      return work();
    });
    const tail = mine.then(
      () => undefined,
      () => undefined, // the caller gets the error; the next in line only waits for the end
    );
    this.#tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
