/**
 * Builds the images named on the command line (default: all) into the cache, without a container engine.
 * .local/images.json: name → `repository:tag`. .local/images/<name>: the folder whose files, packed, are the archive to import.
 * .local/sbom/<name>.cdx.json: what the image consists of.
 */
import { existsSync, mkdirSync, readFileSync, utimesSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type Archive, imageArchive } from "./archive.ts";
import { builtLayer, type Layer } from "./layers.ts";
import { type Recipe, recipes, recipesByName } from "./recipes.ts";
import { type Component, sbom } from "./sbom.ts";

const [cache, local, ...wanted] = process.argv.slice(2);
if (cache === undefined || local === undefined)
  throw new Error("usage: build.ts CACHE LOCAL [NAME…]; call cluster/images/build instead");
process.umask(0o022); // a container's user has to read what root built here
for (const folder of ["images", "sbom"]) mkdirSync(join(local, folder), { recursive: true });

const listFile = join(local, "images.json");
const list: Record<string, string> = existsSync(listFile) ? JSON.parse(readFileSync(listFile, "utf8")) : {};
const begun = (wanted.length === 0 ? Object.keys(recipes) : wanted).map((name) => {
  const recipe = recipes[name] ?? recipesByName[name];
  if (recipe === undefined) {
    const choices = [...Object.keys(recipes), ...Object.keys(recipesByName)];
    throw new Error(`there is no image ${name}; the images: ${choices.join(", ")}`);
  }
  // What has to be fetched or bundled comes while the lower layers are made.
  const layers = recipe.layers();
  layers.catch(() => {}); // told when it is this image's turn
  return { name, recipe, layers };
});
for (const { name, recipe, layers } of begun) {
  const { archive, folder, fresh, components } = await buildImage(cache, name, recipe, await layers);
  if (fresh) console.log(`images: built ${name} (${archive.reference})`);
  await point(join(local, "images", name), folder);
  await replace(join(local, "sbom", `${name}.cdx.json`), sbom(archive.reference, components));
  list[name] = archive.reference;
}
await replace(listFile, `${JSON.stringify(list, undefined, 2)}\n`);

async function buildImage(
  images: string,
  name: string,
  recipe: Recipe,
  made: readonly Layer[],
): Promise<{ archive: Archive; folder: string; fresh: boolean; components: readonly Component[] }> {
  const layers = [];
  for (const layer of made) layers.push(await builtLayer(images, layer));
  const archive = imageArchive(recipe.repository, recipe.tag, recipe.config, layers);
  const folder = join(images, `${name}-${archive.id}`);
  const fresh = !existsSync(folder);
  if (fresh) await writeImage(folder, archive);
  utimesSync(folder, new Date(), new Date());
  return { archive, folder, fresh, components: layers.flatMap((layer) => layer.components) };
}

/** Layers are links: ten versions of an image cost little more than one. */
async function writeImage(folder: string, archive: Archive): Promise<void> {
  const scratch = `${folder}.${process.pid}`;
  await mkdir(scratch);
  try {
    for (const [name, text] of Object.entries(archive.files)) await writeFile(join(scratch, name), text);
    for (const [name, file] of Object.entries(archive.layers)) await symlink(file, join(scratch, name));
    await rename(scratch, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function point(link: string, target: string): Promise<void> {
  await rm(`${link}.new`, { force: true });
  await symlink(target, `${link}.new`);
  await rename(`${link}.new`, link);
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
