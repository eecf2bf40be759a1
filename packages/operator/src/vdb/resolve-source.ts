import { identityIn, labelsOf, postgresVDB, resourceOf, sourceReference, type VdbIdentity } from "@vdb/api";
import { done, isControlledBy, type Outcome, type PersistentVolumeClaim, type Step, terminal } from "kube-runtime";
import { resolveDctSource } from "../data/dct/resolve.ts";
import type { ResolvedSource } from "../data/source.ts";
import { type VdbContext, vdbsByDctId } from "./context.ts";
import { keyOfVdb } from "./names.ts";

const postgresVdbs = resourceOf(postgresVDB);

/**
 * SourceResolved: finds what spec.source names, and puts its labels on the object.
 * Done at once when the claim is there: a database that has its data does not need its source any more.
 */
export const resolveSource: Step<VdbContext> = {
  name: "resolveSource",
  condition: "SourceResolved",
  run: async (ctx, signal) => {
    const { vdb, world, claim } = ctx;
    if (claim !== undefined) return await known(ctx, claim, signal);
    const reference = sourceReference(vdb.spec.source, vdb.metadata.namespace);
    if (reference.type !== "dct-source") return terminal("SourceNotFound", `${reference.type} is not yet supported`);
    const resolved = await world.dct.call(
      async (dct) => await resolveDctSource(dct, vdb, reference, world.config.defaults, signal),
      signal,
    );
    if (!resolved.ok) return terminal(resolved.reason, resolved.message, { backOff: true });
    if (isShut(ctx, resolved.source.id))
      return terminal(
        "SourceNotReady",
        `VDB ${reference.name} has not been opened to clients yet: its data may be unmasked until its hooks have succeeded`,
        { backOff: true },
      );
    return await take(ctx, resolved.source, signal);
  },
};

/** A copy of a database whose gate is shut would be a way around its hooks. What another operator serves is not known here. */
function isShut({ world }: VdbContext, dctId: string | undefined): boolean {
  const served = dctId === undefined ? [] : world.caches.vdbs.byIndex(vdbsByDctId, dctId);
  return served.some(({ status }) => status.openedFor === undefined || status.openedFor !== status.contentId);
}

/** Records what will be made and from what, before it is made. */
async function take(ctx: VdbContext, source: ResolvedSource, signal: AbortSignal): Promise<Outcome> {
  const { run, vdb } = ctx;
  ctx.source = source;
  run.status.source = {
    type: vdb.spec.source.type,
    name: source.identity.sourceRef,
    ...defined({
      engine: source.identity.engineName,
      id: source.id,
      snapshotId: source.snapshotId,
      snapshotName: source.snapshotName,
      postgresVersion: source.postgresVersion,
    }),
  };
  if (source.dataTimestamp !== undefined) run.status.dataTimestamp = source.dataTimestamp;
  else delete run.status.dataTimestamp;
  await putLabels(ctx, source.identity, signal);
  return done();
}

/** Its labels are what users find it by: they are put back from what its claim says of it. */
async function known(ctx: VdbContext, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<Outcome> {
  const { name: sourceRef } = ctx.run.status.source ?? {};
  if (sourceRef !== undefined && isControlledBy(claim, ctx.vdb))
    await putLabels(ctx, { sourceRef, ...identityIn(claim.metadata.annotations ?? {}) }, signal);
  return done();
}

async function putLabels({ run, vdb }: VdbContext, identity: VdbIdentity, signal: AbortSignal): Promise<void> {
  const wanted = labelsOf(identity);
  const labels = vdb.metadata.labels ?? {};
  if (Object.entries(wanted).some(([key, value]) => labels[key] !== value))
    await run.client.patch(postgresVdbs, keyOfVdb(vdb), { metadata: { labels: wanted } }, signal);
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exactly the undefined ones are left out
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
