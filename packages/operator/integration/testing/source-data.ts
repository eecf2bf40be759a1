/** Data as it comes from a production database, for the start script to start. */
import { equal, notEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { copyCluster, newCluster, owner, type Pod, scratch, startPod } from "./postgres.ts";

export interface SourceData {
  /** A folder for the files of the tests. */
  readonly folder: string;
  /** A path that nothing is at yet. */
  readonly newMount: () => string;
  /** A fresh copy of a cluster that was in production, with everything in it that would hurt a clone; where it lies. */
  readonly clone: (change?: (data: string) => void) => string;
}

/** To be called in a `describe`. */
export function sourceData(): SourceData {
  const folder = scratch();
  const template = join(folder.path, "template");
  let count = 0;
  const newMount = (): string => join(folder.path, `mount-${++count}`);
  before(() => newCluster(template));
  after(() => folder[Symbol.dispose]());
  return {
    folder: folder.path,
    newMount,
    clone: (change = () => undefined) => {
      const mount = newMount();
      copyCluster(template, mount);
      change(join(mount, "data"));
      execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, mount]);
      return mount;
    },
  };
}

/** With the server in the pod; afterwards it is killed, and has to come up in another container of the same pod. */
export async function running<T>(pod: Pod, work: () => T | Promise<T>): Promise<T> {
  try {
    await pod.answers();
    return await work();
  } finally {
    await pod.stop("SIGKILL");
    const next = await pod.again();
    await next.answers();
    await next.stop();
  }
}

/** What the start script says where it starts no server: in the pod's first container and in the next. */
export async function refused(mount: string, options: Parameters<typeof startPod>[1]): Promise<string> {
  const pod = await startPod(mount, options);
  notEqual(await pod.exited, 0);
  const message = pod.terminationMessage();
  const next = await pod.again();
  notEqual(await next.exited, 0);
  equal(next.terminationMessage(), message, "the pod's next container says the same");
  return message;
}

/** Removes the data, and leaves the folder. */
export const empty = (data: string): void => {
  rmSync(data, { recursive: true });
  mkdirSync(data);
};

/** Adds lines to the source's postgresql.conf. */
export const configured =
  (lines: string) =>
  (data: string): void =>
    appendFileSync(join(data, "postgresql.conf"), lines);
