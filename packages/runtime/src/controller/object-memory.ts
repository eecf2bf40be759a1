/**
 * What this process remembers of one object between its runs, to time them and never to decide by: it is lost with a restart,
 * which costs an earlier or a repeated look.
 */
export interface ObjectMemory {
  readonly uid: string;
  /** Since when the back-off has been asked for with the same reason; monotonic milliseconds. */
  failing: { readonly reason: string; readonly sinceMs: number } | undefined;
  /** Since when the status lacks words that the runs since have found; monotonic milliseconds. */
  untoldSinceMs: number | undefined;
  /** Moments that steps keep by a name of theirs; monotonic milliseconds. */
  readonly marks: Map<string, number>;
}

/** The memories of one controller, by object key. */
export interface ObjectMemories {
  /** That of this object: one made anew under the same name starts with none. */
  readonly of: (key: string, uid: string) => ObjectMemory;
  readonly forget: (key: string) => void;
}

export function createObjectMemories(): ObjectMemories {
  const memories = new Map<string, ObjectMemory>();
  return {
    of: (key, uid) => {
      const known = memories.get(key);
      if (known?.uid === uid) return known;
      const memory: ObjectMemory = { uid, failing: undefined, untoldSinceMs: undefined, marks: new Map() };
      memories.set(key, memory);
      return memory;
    },
    forget: (key) => void memories.delete(key),
  };
}
