/** Keys by the time they are due, earliest first. Of one key only the earliest time counts. */
export interface DueHeap {
  readonly add: (key: string, due: number) => void;
  readonly remove: (key: string) => void;
  readonly has: (key: string) => boolean;
  /** The earliest time, or undefined when there is none. */
  readonly next: () => number | undefined;
  /** Takes the key that is due first. */
  readonly take: () => string | undefined;
  readonly size: () => number;
  /** Entries held in memory, stale ones included. */
  readonly held: () => number;
}

interface Entry {
  readonly key: string;
  readonly due: number;
}

export function createDueHeap(): DueHeap {
  const heap: Entry[] = [];
  const dueOf = new Map<string, number>(); // an entry of the heap that differs from this is stale, and skipped
  const skipStale = (): Entry | undefined => {
    for (let top = heap[0]; top !== undefined && dueOf.get(top.key) !== top.due; top = heap[0]) removeTop(heap);
    return heap[0];
  };
  return {
    size: () => dueOf.size,
    held: () => heap.length,
    remove: (key) => dueOf.delete(key),
    has: (key) => dueOf.has(key),
    add: (key, due) => {
      const present = dueOf.get(key);
      if (present !== undefined && present <= due) return;
      dueOf.set(key, due);
      heap.push({ key, due });
      siftUp(heap, heap.length - 1);
      if (heap.length > 2 * dueOf.size + 64) rebuild(heap, dueOf);
    },
    next: () => skipStale()?.due,
    take: () => {
      const top = skipStale();
      if (top === undefined) return undefined;
      removeTop(heap);
      dueOf.delete(top.key);
      return top.key;
    },
  };
}

/** Leaves the stale entries behind: times far ahead that were overtaken would otherwise pile up. Sorted is a heap. */
function rebuild(heap: Entry[], dueOf: ReadonlyMap<string, number>): void {
  const entries = [...dueOf].map(([key, due]) => ({ key, due })).toSorted((a, b) => a.due - b.due);
  heap.splice(0, heap.length, ...entries);
}

function removeTop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  siftDown(heap, 0);
}

function siftUp(heap: Entry[], from: number): void {
  for (let at = from; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!swapIfSooner(heap, at, parent)) return;
    at = parent;
  }
}

function siftDown(heap: Entry[], from: number): void {
  for (let at = from; ; ) {
    const left = 2 * at + 1;
    const right = left + 1;
    const child = (heap[right]?.due ?? Infinity) < (heap[left]?.due ?? Infinity) ? right : left;
    if (child >= heap.length || !swapIfSooner(heap, child, at)) return;
    at = child;
  }
}

/** Swaps when the entry at `child` is due before the one at `parent`. */
function swapIfSooner(heap: Entry[], child: number, parent: number): boolean {
  const [a, b] = [heap[child], heap[parent]];
  if (a === undefined || b === undefined || a.due >= b.due) return false;
  heap[child] = b;
  heap[parent] = a;
  return true;
}
