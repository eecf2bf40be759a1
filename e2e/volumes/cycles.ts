import { claim, type Manifest, ofClaim, ofSnapshot, pod, sleeps, snapshot } from "./manifests.ts";

/** One life of a claim with what is made of it, and in which order it is deleted. */
export interface Cycle {
  readonly objects: readonly Manifest[];
  readonly claims: readonly string[];
  /** Deleted while everything of it is still being made. */
  readonly hasty: boolean;
  /** `kind/name`, as kubectl delete takes them. */
  readonly deletions: readonly string[];
}

/** The nth cycle of a run, by chance: a claim, and with it a copy, a snapshot, a volume of the snapshot, a pod. */
export function planCycle(nth: number, namespace: string, random: () => number): Cycle {
  const within = { namespace };
  const [wantsPod, wantsCopy, wantsSnapshot, hasty] = [random() < 0.4, random() < 0.6, random() < 0.6, random() < 0.5];
  const named = (what: string): string => `${what}-${nth}`;
  const [base, user, copy, taken, restored] = [named("base"), named("user"), named("copy"), named("taken"), named("restored")];
  const made = [
    { kind: "pvc", name: base, object: claim(base, within) },
    ...(wantsPod ? [{ kind: "pod", name: user, object: pod(user, namespace, base, sleeps) }] : []),
    ...(wantsCopy ? [{ kind: "pvc", name: copy, object: claim(copy, { ...within, spec: { dataSource: ofClaim(base) } }) }] : []),
    ...(wantsSnapshot
      ? [
          { kind: "volumesnapshot", name: taken, object: snapshot(taken, namespace, base) },
          { kind: "pvc", name: restored, object: claim(restored, { ...within, spec: { dataSource: ofSnapshot(taken) } }) },
        ]
      : []),
  ];
  return {
    objects: made.map(({ object }) => object),
    claims: made.flatMap(({ kind, name }) => (kind === "pvc" ? [name] : [])),
    hasty,
    deletions: made
      .map(({ kind, name }) => ({ reference: `${kind}/${name}`, order: random() }))
      .toSorted((one, other) => one.order - other.order)
      .map(({ reference }) => reference),
  };
}
