/** Keeps the first `limit` bytes of what comes. */
export interface BoundedText {
  readonly add: (bytes: Uint8Array) => void;
  readonly text: () => string;
  readonly truncated: () => boolean;
}

export function keepHead(limit: number): BoundedText {
  const chunks: Uint8Array[] = [];
  const state = { bytes: 0, truncated: false };
  return {
    add: (bytes) => {
      const kept = bytes.subarray(0, limit - state.bytes);
      if (kept.length > 0) chunks.push(kept);
      state.bytes += kept.length;
      if (kept.length < bytes.length) state.truncated = true;
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
    truncated: () => state.truncated,
  };
}
