import type { CacheEvent, Condition } from "kube-runtime";
import { isResting, type Phased } from "../metrics/phase-times.ts";

/** What traces are told to. Times are wall clock, in milliseconds. */
export interface Tracer {
  /** Without a parent it is the first span of a trace. */
  readonly begin: (name: string, attributes: Attributes, startMs: number, parent?: Span) => Span;
}
export interface Span {
  readonly note: (name: string, attributes: Attributes, atMs: number) => void;
  /** `failure`: why it is one; undefined: it went well. */
  readonly end: (atMs: number, failure?: string) => void;
}
export type Attributes = Readonly<Record<string, string | number>>;

/** A database or an action. */
export type Traced = Phased & { readonly kind: string; readonly status: { readonly conditions?: readonly Condition[] } };

interface Work {
  readonly span: Span;
  readonly phase: { readonly name: string; readonly span: Span };
}

/**
 * Traces each piece of work on an object, from its creation or the edit that began it to Ready, Stopped, Completed or Error: a span for
 * each phase, a note for each condition that changes. Work that had begun before this process saw it is traced from its creation, its
 * phase from now on; work that is unfinished when the object goes ends there.
 */
export function traceWork(tracer: Tracer, now: () => number): (event: CacheEvent<Traced>) => void {
  const works = new Map<string, Work>();
  return (event) => {
    const { object } = event;
    const { uid } = object.metadata;
    const atMs = now(); // once: a phase begins when the one before it ends
    const isGone = event.type === "deleted";
    const work = works.get(uid) ?? (isGone ? undefined : begun(tracer, event, atMs));
    if (work === undefined) return;
    if (event.type === "updated") noteChanges(work.span, event.before, object, atMs);
    const { phase } = object.status;
    if (!isGone && phase === work.phase.name) {
      works.set(uid, work);
      return;
    }
    const failure = phase === "Error" ? (readyOf(object)?.reason ?? "Error") : undefined;
    work.phase.span.end(atMs, failure);
    if (isGone || isResting(phase)) {
      work.span.end(atMs, failure);
      works.delete(uid);
    } else works.set(uid, { span: work.span, phase: phaseOf(tracer, work.span, phase, atMs) });
  };
}

function begun(tracer: Tracer, event: CacheEvent<Traced>, now: number): Work | undefined {
  const { kind, metadata, status } = event.object;
  if (isResting(status.phase)) return undefined;
  const isNew = event.type === "added";
  const attributes = {
    "k8s.namespace.name": metadata.namespace ?? "",
    "delphix.kind": kind,
    "delphix.name": metadata.name,
    "delphix.uid": metadata.uid,
    "delphix.generation": metadata.generation ?? 0,
  };
  const startMs = isNew ? Math.min(now, Date.parse(metadata.creationTimestamp)) : now;
  const span = tracer.begin(`${kind} ${isNew ? "create" : "update"}`, attributes, startMs);
  return { span, phase: phaseOf(tracer, span, status.phase, now) };
}

/** A new object has no phase before its first status. */
const phaseOf = (tracer: Tracer, parent: Span, name: string, now: number): Work["phase"] => ({
  name,
  span: tracer.begin(name === "" ? "New" : name, {}, now, parent),
});

const readyOf = ({ status }: Traced): Condition | undefined => status.conditions?.find(({ type }) => type === "Ready");

function noteChanges(span: Span, before: Traced, { status }: Traced, now: number): void {
  const earlier = new Map((before.status.conditions ?? []).map((one) => [one.type, `${one.status} ${one.reason}`]));
  for (const one of status.conditions ?? [])
    if (earlier.get(one.type) !== `${one.status} ${one.reason}`)
      span.note(one.type, { status: one.status, reason: one.reason }, now);
}
