/** What each image is made of. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import type { ContainerConfig } from "./archive.ts";
import { bundle } from "./bundle.ts";
import { base, searchPath, storageTools } from "./debian.ts";
import { filledLayer, type Layer, parents, place } from "./layers.ts";
import { majorRecipes, postgresRecipe, recovery } from "./postgres-images.ts";
import { goComponents, nodeComponent, npmComponent } from "./sbom.ts";

export type Recipe = {
  readonly repository: string;
  /** Left out: the content's own id. */
  readonly tag?: string;
  readonly config: ContainerConfig;
  /** From the lowest up. Asked for only when the image is built: some compile. */
  readonly layers: () => Promise<readonly Layer[]>;
};

const here = import.meta.dirname;
const repository = join(here, "../..");
const path = (name: string): string => execFileSync(join(here, "../paths"), [name], { encoding: "utf8" }).trim();
const binaries = path("tools");

/** The Node.js that runs this build is the one that runs in the images. */
const node = filledLayer(
  "node",
  [process.version, process.arch],
  () => [nodeComponent(process.version)],
  (root) => place(process.execPath, root, "usr/local/bin/node"),
);

/** The bundle of packages/<name> as /app, started by its main.mjs. */
async function app(name: string): Promise<Layer> {
  const { files, packages } = await bundle(repository, name);
  const inputs = Object.entries(files).map(([file, text]) => `${file} ${createHash("sha256").update(text).digest("hex")}`);
  const contains = () => packages.map((one) => npmComponent(one.name, one.version));
  return filledLayer(`app-${name}`, inputs, contains, async (root) => {
    await mkdir(join(root, "app"));
    for (const [file, text] of Object.entries(files)) await writeFile(join(root, "app", file), text);
  });
}

function program(name: string): Layer {
  const file = join(binaries, name);
  return filledLayer(
    name,
    [basename(dirname(binaries))],
    () => goComponents(file),
    (root) => place(file, root, name),
  );
}

const nodeApp = { Entrypoint: ["/usr/local/bin/node", "/app/main.mjs"], WorkingDir: "/app" } as const;
const nodeEnv = [`PATH=${searchPath}`, "NODE_ENV=production", "LANG=C.UTF-8"];

/** A program of the Kubernetes project, unchanged. */
const upstream = (name: string): Recipe => ({
  repository: `registry.local/${name}`,
  config: { Entrypoint: [`/${name}`], User: "65532:65532" },
  layers: async () => [program(name)],
});

export const recipes: Readonly<Record<string, Recipe>> = {
  operator: {
    repository: "registry.local/delphix-operator",
    config: { ...nodeApp, User: "65532:65532", Env: nodeEnv },
    layers: async () => [base, node, await app("operator")],
  },
  csi: {
    repository: "registry.local/delphix-csi",
    config: { ...nodeApp, Env: nodeEnv },
    layers: async () => [base, node, await app("csi")],
  },
  engine: {
    repository: "registry.local/delphix-engine",
    config: { ...nodeApp, Env: nodeEnv },
    layers: async () => [base, storageTools, ...(await recovery()), node, await app("engine")],
  },
  postgres: postgresRecipe,
  "csi-provisioner": upstream("csi-provisioner"),
  "csi-snapshotter": upstream("csi-snapshotter"),
  "csi-resizer": upstream("csi-resizer"),
  "csi-attacher": upstream("csi-attacher"),
  "snapshot-controller": upstream("snapshot-controller"),
};

/** Their registry takes the place of the Kubernetes project's: e2e/storage-suite/images.yaml. */
const ofSuite = (name: string, tag: string): Recipe => ({
  repository: `registry.local/e2e/${name}`,
  tag,
  config: { Entrypoint: ["/agnhost"], Cmd: ["pause"], Env: [`PATH=${searchPath}`] },
  layers: async () => {
    const programs = path("storage-suite");
    const file = join(programs, "agnhost");
    const contains = () => goComponents(file);
    const layer = filledLayer("agnhost", [basename(dirname(programs))], contains, async (root) => {
      await place(file, root, "agnhost");
      await symlink("bash", await parents(root, "usr/bin/sh")); // scripts of the tests count by `let`, as busybox and bash can, and dash cannot
    });
    return [base, layer];
  },
});

/** Built only by their names. For Kubernetes' own storage tests Debian's shell and tools stand for busybox's. */
export const recipesByName: Readonly<Record<string, Recipe>> = {
  ...majorRecipes,
  agnhost: ofSuite("agnhost", "2.63.0"),
  busybox: ofSuite("busybox", "1.37.0-1"),
  nginx: ofSuite("nginx", "1.15-4"), // runs a script from a volume, and serves nothing
  "glibc-dns-testing": ofSuite("glibc-dns-testing", "2.0.0"), // writes to volumes and reads from them, and asks no name
};
