import { identityIn, labelsOf, type PostgresVDB, type VdbIdentity } from "@vdb/api";
import { done, isControlledBy, type PersistentVolumeClaim, retry, terminal } from "kube-runtime";
import type { DataSource, ResolvedSource } from "../../data/source.ts";
import type { Origin, VdbContext, VdbFinding, VdbFindingStep } from "../context.ts";

/**
 * SourceResolved: finds what spec.source names, and puts its labels on the object.
 * Done at once when the claim is there: a database that has its data does not need its source any more.
 */
export const resolveSource: VdbFindingStep<"SourceResolved", { readonly origin: Origin }> = {
  name: "resolveSource",
  condition: "SourceResolved",
  run: async (ctx, signal) => {
    const { vdb, world, claim } = ctx;
    const adopted = await adoptedClaim(ctx, signal);
    if (adopted !== undefined) return await known(ctx, { kind: "adopted", claim: adopted }, signal);
    if (claim !== undefined) return await known(ctx, { kind: "claim", claim }, signal);
    const claimName = vdb.status.content?.claimName;
    if (world.sources.holding(vdb)?.adopted !== undefined && claimName !== undefined && (vdb.status.delphixID ?? "") !== "")
      return done({ found: { origin: { kind: "plan", plan: { kind: "adopt", claimName } } } });
    const source = world.sources.named(vdb);
    if (source === undefined) return terminal("SourceNotFound", `spec.source.type ${vdb.spec.source.type} is not yet supported`);
    const resolved = await source.resolve(ctx.run.client, vdb, signal);
    if (resolved.ok) return await take(ctx, source, resolved.source, signal);
    const { reason, message, passes = false } = resolved;
    return passes ? retry(reason, message) : terminal(reason, message, { backOff: true });
  },
};

type Resolved = VdbFinding<"SourceResolved", { readonly origin: Origin }>;

/** Records what will be made and from what, before it is made. */
async function take(
  ctx: VdbContext,
  { claimFor }: Pick<DataSource, "claimFor">,
  source: ResolvedSource,
  signal: AbortSignal,
): Promise<Resolved> {
  const { run, vdb, world } = ctx;
  // What was begun for another source lies where the status still says, and goes before the status says something else.
  if (isOther(vdb.status.source, vdb, source)) await world.sources.holding(vdb)?.unstage(run.client, vdb, signal);
  run.status.source = {
    type: vdb.spec.source.type,
    name: source.identity.sourceRef,
    ...defined({
      namespace: source.volume?.namespace,
      crashConsistent: source.volume?.crashConsistent,
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
  return done({ found: { origin: { kind: "plan", plan: claimFor(vdb, source) } }, ...asCopied(run.status.source) });
}

const isOther = (before: Recorded, { spec }: PostgresVDB, { identity, volume }: ResolvedSource): boolean =>
  before !== undefined &&
  (before.type !== spec.source.type || before.name !== identity.sourceRef || before.namespace !== volume?.namespace);

type Recorded = PostgresVDB["status"]["source"];

/** How a copy was taken is said as long as it is the present data's. */
const asCopied = (source: Recorded): { readonly message?: string } =>
  source?.crashConsistent === true
    ? {
        message: `the ${source.type === "k8s-snapshot" ? "VolumeSnapshot" : "claim"} ${source.name ?? ""} is copied as it is, crash-consistent: files of a server that the operator could not ask for a checkpoint; PostgreSQL recovers from its WAL`,
      }
    : {};

/** The claim of the present data where it is its user's; the database's own follow after a refresh or rewind. */
async function adoptedClaim(
  { run, vdb, world, claim }: VdbContext,
  signal: AbortSignal,
): Promise<PersistentVolumeClaim | undefined> {
  if ((vdb.status.delphixID ?? "") === "" || claim !== undefined) return undefined;
  return await world.sources.holding(vdb)?.adopted?.(run.client, vdb, signal);
}

/** Its labels are what users find it by: they are put back from what its claim says of it. */
async function known(
  ctx: VdbContext,
  origin: Extract<Origin, { readonly claim: PersistentVolumeClaim }>,
  signal: AbortSignal,
): Promise<Resolved> {
  const { name: sourceRef } = ctx.run.status.source ?? {};
  const { kind, claim } = origin;
  if (sourceRef !== undefined && (kind === "adopted" || isControlledBy(claim, ctx.vdb))) {
    const { sourceDBName, ...identity } = identityIn(claim.metadata.annotations ?? {});
    const { vdbGroupName = identity.vdbGroupName, envName = identity.envName } = kind === "adopted" ? ctx.vdb.spec : {};
    await putLabels(
      ctx,
      { sourceRef, ...identity, vdbGroupName, envName, ...(kind === "adopted" ? {} : { sourceDBName }) },
      signal,
    );
  }
  return done({ found: { origin }, ...asCopied(ctx.run.status.source) });
}

async function putLabels({ run, vdb }: VdbContext, identity: VdbIdentity, signal: AbortSignal): Promise<void> {
  const wanted = labelsOf(identity);
  const labels = vdb.metadata.labels ?? {};
  if (Object.entries(wanted).some(([key, value]) => labels[key] !== value)) await run.patchMetadata({ labels: wanted }, signal);
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exactly the undefined ones are left out
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
