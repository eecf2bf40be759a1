import { identityIn } from "@vdb/api";
import {
  after,
  done,
  events,
  isApiError,
  isControlledBy,
  type Manifest,
  type Outcome,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  storageClasses,
} from "kube-runtime";
import { claimTrouble } from "../../../vdb/decide/claim-events.ts";
import { contentIdOfAction, operatorName } from "../../../vdb/names.ts";
import { desiredClaim } from "../../../vdb/objects/claim.ts";
import { valueOf } from "../../../vdb/objects/quantity.ts";
import { ActionFailed } from "../../action-failed.ts";
import type { Deed, Work } from "../../content-store.ts";
import type { CsiWorld } from "../csi-world.ts";
import { claimOf } from "../identity.ts";
import { type Coming, isStaged, stageFrom, unstageOf } from "../stage.ts";
import { actionLabel } from "../volume-snapshots.ts";
import { type Change, changeIn } from "./change.ts";

type Copy = Extract<Change, { readonly kind: "copy" }>;

/** On a claim of an action: the moment that has its data. */
export const dataTimestampAnnotation = "postgresvdb.core.delphix.com/data-timestamp";

/** Claims and VolumeSnapshots are not watched here. */
const [lookSeconds, troubleSeconds] = [0.3, 5];

/** A claim with the new data, beside the old that still answers. It is named by the action, and bears its uid. */
export const newClaim = (world: CsiWorld): Deed => ({
  look: async (work, intent, signal) => {
    const change = changeIn(intent);
    if (change.kind === "return" || (await own(work, change.claim, signal)) !== undefined) return intent;
    return (await isStaged(work.client, comingIn(work), change.from, signal)) ? intent : undefined;
  },
  begin: async (work, intent, signal) => {
    const change = changeIn(intent);
    if (change.kind === "copy") await advance(world, work, change, signal);
    return intent;
  },
  end: async (work, effect, signal) => {
    const change = changeIn(effect);
    return change.kind === "return" ? done() : await advance(world, work, change, signal);
  },
});

const comingIn = ({ vdb, action }: Work): Coming => ({ vdb, contentId: contentIdOfAction(action.uid) });

/** The claim that this action made. Throws when another's has its name. */
async function own({ client, vdb, action }: Work, name: string, signal: AbortSignal): Promise<PersistentVolumeClaim | undefined> {
  const found = await client.find(persistentVolumeClaims, { namespace: vdb.metadata.namespace, name }, signal);
  if (found === undefined || (isControlledBy(found, vdb) && found.metadata.labels?.[actionLabel] === action.uid)) return found;
  throw new ActionFailed(
    "StorageFailed",
    `a claim ${name} exists in the namespace ${vdb.metadata.namespace} and was not made by this action; apply the action under another name`,
  );
}

/** The next thing that is to be done for it. Done when the new volume has the data. */
async function advance(world: CsiWorld, work: Work, change: Copy, signal: AbortSignal): Promise<Outcome> {
  const claim = await own(work, change.claim, signal);
  if (claim === undefined) return await make(world, work, change, signal);
  if (claim.metadata.deletionTimestamp !== undefined)
    throw new ActionFailed("StorageFailed", `the new claim ${change.claim} was deleted while it was made`);
  if (claim.status?.phase !== "Bound") return await pending(work, claim, signal);
  await unstageOf(work.client, comingIn(work), signal);
  const { kind, name, crashConsistent } = change.from;
  const as = crashConsistent ? ", as it is: files of a server that the operator could not ask for a checkpoint" : "";
  return done({
    message: `the claim ${change.claim} is a copy of the ${kind === "VolumeSnapshot" ? kind : "claim"} ${name}${as}`,
  });
}

async function make(world: CsiWorld, work: Work, change: Copy, signal: AbortSignal): Promise<Outcome> {
  const staged = await stageFrom(work.client, comingIn(work), change.from, world.checkpoint, signal);
  switch (staged.kind) {
    case "underWay":
      return after(lookSeconds, "Running", staged.message);
    case "failed":
      return after(troubleSeconds, "StorageFailed", staged.message);
    case "ready":
      await create(work, await manifestOf(world, work, change, staged, signal), signal);
      return after(lookSeconds, "Running", `the CSI driver provisions the claim ${change.claim}`);
    default:
      return staged satisfies never;
  }
}

/** Group, environment and engine are those of the claim that the database has. */
async function manifestOf(
  { config }: CsiWorld,
  { client, vdb, action }: Work,
  { from, sizeBytes }: Copy,
  { dataSource, dataTimestamp }: Extract<Awaited<ReturnType<typeof stageFrom>>, { readonly kind: "ready" }>,
  signal: AbortSignal,
): Promise<Manifest<PersistentVolumeClaim>> {
  const { content, source } = vdb.status;
  const key = { namespace: vdb.metadata.namespace, name: content?.claimName ?? "" };
  const present = await client.find(persistentVolumeClaims, key, signal);
  const { vdbGroupName, envName, engineName } = { ...identityIn(present?.metadata.annotations ?? {}), ...given(vdb.spec) };
  const identity = { sourceRef: source?.name ?? from.name, vdbGroupName, envName, engineName };
  const plan = claimOf(vdb, { ...nothingElse, identity, sizeBytes, volume: from });
  if (plan.kind !== "make") throw new TypeError("new data comes on a new claim");
  const { metadata, spec } = desiredClaim(vdb, contentIdOfAction(action.uid), plan, config.defaults, dataSource);
  const asked = spec.resources?.requests?.["storage"] ?? "1Gi";
  const storage = sizeBytes > (valueOf(asked) ?? 0) ? `${Math.ceil(sizeBytes / 2 ** 30)}Gi` : asked; // its source has grown
  return {
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [actionLabel]: action.uid },
      annotations: {
        ...metadata.annotations,
        ...(dataTimestamp === undefined ? {} : { [dataTimestampAnnotation]: dataTimestamp }),
      },
    },
    spec: { ...spec, resources: { requests: { storage } } },
  };
}

const nothingElse = {
  postgresVersion: undefined,
  dataTimestamp: undefined,
  id: undefined,
  snapshotId: undefined,
  snapshotName: undefined,
};

const given = ({ vdbGroupName, envName }: Work["vdb"]["spec"]) => ({
  ...(vdbGroupName === undefined ? {} : { vdbGroupName }),
  ...(envName === undefined ? {} : { envName }),
});

/** A quota or a policy that refuses the claim ends the action, while the old data still answers. */
async function create({ client }: Work, claim: Manifest<PersistentVolumeClaim>, signal: AbortSignal): Promise<void> {
  try {
    await client.create(persistentVolumeClaims, claim, signal, { fieldManager: operatorName });
  } catch (error) {
    if (isApiError(error, "alreadyExists")) return; // looked at by the next run
    if (!isApiError(error, "forbidden", "invalid")) throw error;
    throw new ActionFailed("StorageFailed", `the API server refuses the claim ${claim.metadata.name}: ${error.message}`);
  }
}

/** What the storage refuses is told of while the old data still answers. A class that binds when a pod comes leaves it to the start. */
async function pending({ client }: Work, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<Outcome> {
  const { name, namespace = "", uid } = claim.metadata;
  const { items } = await client.list(events, { namespace, fieldSelector: `regarding.uid=${uid},type=Warning` }, signal);
  const trouble = claimTrouble(items);
  const message = `cannot provision the claim ${name}: ${trouble?.message ?? ""}`;
  if (trouble?.passes === true) return after(troubleSeconds, "StorageFailed", message);
  if (trouble !== undefined) throw new ActionFailed("StorageFailed", message);
  const { storageClassName = "" } = claim.spec;
  const found = await client.find(storageClasses, { name: storageClassName }, signal);
  if (found?.volumeBindingMode === "WaitForFirstConsumer")
    return done({ message: `the claim ${name} gets its volume when the new pod has a node` });
  return after(lookSeconds, "Running", `the CSI driver provisions the claim ${name}`);
}
