import { createHash, randomUUID } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "../stack/command.ts";
import type { BuiltLayer } from "./archive.ts";
import type { Component } from "./sbom.ts";

/** Layers that are made together, once for one key. */
export type LayerSet = {
  readonly name: string;
  /** What the content depends on: versions, digests, sources. */
  readonly inputs: readonly string[];
  /** Leaves one `<layer>.tar` for each layer in the folder. */
  readonly make: (folder: string) => Promise<void>;
};

/** One layer of a set. `contains`: what is in it, by the folder in which the set lies. */
export type Layer = {
  readonly set: LayerSet;
  readonly name: string;
  readonly contains: (folder: string) => readonly Component[];
};

/** The layer of the cache, made where it is not there. Made beside its place: an interrupted build leaves nothing that looks whole. */
export async function builtLayer(
  cache: string,
  { set, name, contains }: Layer,
): Promise<BuiltLayer & { readonly components: readonly Component[] }> {
  const key = createHash("sha256").update(JSON.stringify(set.inputs)).digest("hex").slice(0, 12);
  const folder = join(cache, "layers", `${set.name}-${key}`);
  if (!existsSync(folder)) await makeSet(set, folder);
  utimesSync(folder, new Date(), new Date()); // what is in use is not swept away
  return {
    file: join(folder, `${name}.tar`),
    digest: readFileSync(join(folder, `${name}.sha256`), "utf8"),
    components: contains(folder),
  };
}

async function makeSet(set: LayerSet, folder: string): Promise<void> {
  const scratch = `${folder}.${randomUUID()}`;
  await mkdir(scratch, { recursive: true });
  const from = performance.now();
  const sayMaking = (): void =>
    console.log(`images: making layers ${set.name}, ${Math.round((performance.now() - from) / 1000)} s`);
  const progress = setInterval(sayMaking, 15_000);
  try {
    await set.make(scratch);
    for (const file of readdirSync(scratch).filter((entry) => entry.endsWith(".tar"))) {
      const hash = createHash("sha256");
      await pipeline(createReadStream(join(scratch, file)), hash);
      writeFileSync(join(scratch, file.replace(/\.tar$/u, ".sha256")), hash.digest("hex"));
    }
    await rename(scratch, folder);
  } finally {
    clearInterval(progress);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** How layers are made and what is put into them: part of their key. It costs seconds to make them anew. */
const recipe = ["layers.ts", "recipes.ts", "postgres-images.ts"].map((file) =>
  readFileSync(join(import.meta.dirname, file), "utf8"),
);

/** A set of the one layer `name`, holding what `fill` puts under its root folder. */
export function filledLayer(
  name: string,
  inputs: readonly string[],
  contains: () => readonly Component[],
  fill: (root: string) => Promise<void>,
): Layer {
  const make = async (folder: string): Promise<void> => {
    const root = join(folder, "root");
    await mkdir(root);
    await fill(root);
    // The same files give the same bytes: sorted, without times.
    const same = ["--sort=name", "--mtime=@0", "--numeric-owner", "--format=gnu"];
    const entries = readdirSync(root).toSorted();
    await run("tar", ["--create", "--file", join(folder, `${name}.tar`), "--directory", root, ...same, "--", ...entries]);
    await rm(root, { recursive: true });
  };
  return { set: { name, inputs: [...inputs, ...recipe], make }, name, contains };
}

/** A file that a layer holds as `target`, for everybody to run. */
export async function place(file: string, root: string, target: string): Promise<void> {
  const placed = await parents(root, target);
  await copyFile(file, placed);
  await chmod(placed, 0o755);
}

export async function parents(root: string, target: string): Promise<string> {
  await mkdir(dirname(join(root, target)), { recursive: true });
  return join(root, target);
}
