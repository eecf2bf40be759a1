import { inNode, type Kubectl, text, withEngine } from "@vdb/cluster";
import { oneOf, unfinishedJobStates } from "@vdb/dct";
import { inPool } from "../pool.ts";

/** Everything that a volume or a snapshot leaves behind somewhere, of the whole cluster. */
export interface StorageState {
  readonly volumes: readonly string[];
  readonly contents: readonly string[];
  readonly vdbs: readonly string[];
  readonly datasets: readonly string[];
  readonly mounts: readonly string[];
  readonly unfinishedJobs: readonly string[];
}

export async function storageState(kubectl: Kubectl): Promise<StorageState> {
  const names = async (kind: string): Promise<readonly string[]> =>
    (await kubectl.list(kind, [])).map((one) => text(one, "metadata", "name")).toSorted();
  const dct = await withEngine(kubectl, async (engine) => ({
    vdbs: (await engine.searchVdbs()).map(({ id, name }) => `${id} ${name}`).toSorted(),
    jobs: (await engine.searchJobs(oneOf("status", unfinishedJobStates))).map(({ type, target_id }) => `${type} ${target_id}`),
  }));
  return {
    volumes: await names("persistentvolumes"),
    contents: await names("volumesnapshotcontents"),
    vdbs: dct.vdbs,
    datasets: lines(await inPool(), /^(.+)$/u),
    mounts: lines(await inNode(["cat", "/proc/self/mountinfo"]), / (\/\S*\/kubernetes\.io~csi\/\S*) /u),
    unfinishedJobs: dct.jobs,
  };
}

/** What the pattern's group catches, of each line in which it occurs. */
const lines = (all: string, pattern: RegExp): readonly string[] =>
  all
    .split("\n")
    .flatMap((line) => pattern.exec(line)?.[1] ?? [])
    .toSorted();
