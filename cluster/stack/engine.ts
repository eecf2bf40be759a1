import { createDctClient, type DctClient, eq, type Snapshot, waitForJob } from "@vdb/dct";
import { sourceName, storageNamespace } from "./install.ts";
import { text } from "./json.ts";
import { eventually, type Kubectl } from "./kubectl.ts";
import { portForward } from "./port-forward.ts";
import { linkRole, type Production } from "./production.ts";

/** Where the embedded engine's API answers, with the key it published. */
export type EngineAccess = { readonly url: string; readonly apiKey: string; readonly caPem: string };

/** Through a port-forward that lasts as long as `work`. */
export async function withEngineAccess<T>(kubectl: Kubectl, work: (access: EngineAccess) => Promise<T>): Promise<T> {
  const secret = await kubectl.get("secret", "delphix-creds", storageNamespace);
  const value = (key: string): string => Buffer.from(text(secret, "data", key), "base64").toString();
  if (value("DCT_KEY") === "") throw new Error("the engine has not published its key in Secret delphix-creds yet");
  await using forward = await portForward(kubectl, storageNamespace, "svc/delphix-engine", 443);
  return await work({ url: `https://localhost:${forward.port}`, apiKey: value("DCT_KEY"), caPem: value("ca.crt") });
}

export async function withEngine<T>(kubectl: Kubectl, work: (engine: DctClient) => Promise<T>): Promise<T> {
  return await withEngineAccess(kubectl, async (access) => {
    await using engine = createDctClient(access);
    return await work(engine);
  });
}

/** Links a database as a dSource of its namespace's name, and answers when its first snapshot is taken. */
export async function linkDatabase(kubectl: Kubectl, { namespace }: Production, password: string): Promise<void> {
  await withEngine(kubectl, async (engine) => {
    const [group] = await engine.searchGroups(eq("name", "Untitled"));
    const parameters = { host: `production.${namespace}.svc`, port: 5432, user: linkRole, password };
    const job = await engine.linkAppData({ name: namespace, group_id: group?.id ?? "", parameters });
    await ended(engine, job, 180, `the link of dSource ${namespace}`);
  });
}

/** Deletes the dSource with its snapshots; its VDBs have to be gone. Nothing to do when there is none. */
export async function unlinkDatabase(kubectl: Kubectl, { namespace }: Production): Promise<void> {
  await withEngine(kubectl, async (engine) => {
    const [source] = await engine.searchDSources(eq("name", namespace));
    if (source === undefined) return;
    await ended(engine, await engine.deleteDSource(source.id), 120, `the deletion of dSource ${namespace}`);
  });
}

/** The newest snapshot of a dSource, as soon as there is one. The time covers the base backup. */
export async function waitForSourceSnapshot(kubectl: Kubectl, seconds: number, name: string = sourceName): Promise<Snapshot> {
  return await eventually(`a snapshot of dSource ${name}`, seconds, async () => {
    return await withEngine(kubectl, async (engine) => {
      const [source] = await engine.searchDSources(eq("name", name));
      if (source === undefined) throw new Error("the dSource is not linked yet");
      const [newest] = await engine.searchSnapshots(eq("dataset_id", source.id), { sort: "-timestamp", limit: 1 });
      if (newest === undefined) throw new Error(`the dSource has no snapshot yet; its status: ${source.status ?? "unknown"}`);
      return newest;
    });
  });
}

/** A snapshot of a dSource as it is now: by its interval the engine would take the next one much later. */
export async function takeSourceSnapshot(kubectl: Kubectl, seconds: number, name: string = sourceName): Promise<Snapshot> {
  await withEngine(kubectl, async (engine) => {
    const [source] = await engine.searchDSources(eq("name", name));
    if (source === undefined) throw new Error(`the engine has no dSource ${name}`);
    await ended(engine, await engine.snapshotDSource(source.id), seconds, `the snapshot of dSource ${name}`);
  });
  return await waitForSourceSnapshot(kubectl, 30, name);
}

/** Deletes a snapshot that was asked for: those stay until somebody does. Nothing to do when there is none of that id. */
export async function deleteSourceSnapshot(kubectl: Kubectl, id: string): Promise<void> {
  await withEngine(kubectl, async (engine) => {
    if ((await engine.getSnapshot(id)) === undefined) return;
    await ended(engine, await engine.deleteSnapshot(id), 60, `the deletion of snapshot ${id}`);
  });
}

async function ended(engine: DctClient, { jobId }: { readonly jobId: string }, seconds: number, what: string): Promise<void> {
  const signal = AbortSignal.timeout(seconds * 1000 + 5000);
  const end = await waitForJob(engine, jobId, { signal, deadlineSeconds: seconds });
  if (end.kind !== "succeeded") throw new Error(`${what}: ${end.message}`);
}

/** Bytes that a VDB alone holds, beside the bytes that a reader of its source sees; undefined before both are known. */
export async function cloneBytes(
  kubectl: Kubectl,
  vdbId: string,
): Promise<{ readonly clone: number; readonly source: number } | undefined> {
  return await withEngine(kubectl, async (engine) => {
    const vdb = await engine.getVdb(vdbId);
    const [source] = await engine.searchDSources(eq("name", sourceName));
    // btrfs counts what is written with its next transaction; a server that has started has written.
    if (vdb?.storage_size === undefined || vdb.storage_size === 0 || source?.size === undefined) return undefined;
    return { clone: vdb.storage_size, source: source.size };
  });
}
