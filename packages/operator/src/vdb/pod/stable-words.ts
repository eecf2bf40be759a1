/** What differs from one try to the next in the words of kubelet, container runtime, storage and registries. */
const changing: readonly (readonly [RegExp, string])[] = [
  [/\b(?:cni|netns)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/giu, "its network"],
  [/ *"?\b[0-9a-f]{64}\b"?/giu, ""], // containers and sandboxes; an image's digest has "sha256:" before it, see `digest`
  [/\b(?:process|pid|PID) \d+\b/gu, "a process"],
  [/(?<=\b(?:read|write|dial|accept) (?:tcp|udp) \S+):\d+(?=->)/gu, ""], // the port of our end
  [/\battempt \d+\b/gu, "another attempt"],
  [/\b(reserve sandbox name )"[^"]*"/gu, "$1of the pod"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[A-Z]{2,5}|[+-]\d\d:?\d\d))?/gu, "a moment"],
];

/** Digests name what is asked for, and stay. */
const digest = /\bsha256:[0-9a-f]{64}\b/gu;

/**
 * The same words for the same trouble: without ids of sandboxes and containers, process numbers, ports and moments, which are
 * others with each try. A condition must not change for those.
 */
export function stableWords(words: string): string {
  const kept = words.match(digest) ?? [];
  const masked = words.replace(digest, "\u0000");
  const stable = changing.reduce((text, [pattern, by]) => text.replace(pattern, by), masked);
  let next = 0;
  return stable.replaceAll("\u0000", () => kept[next++] ?? "").trim();
}
