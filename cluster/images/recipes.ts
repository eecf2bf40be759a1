/** What each image is made of. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, chown, copyFile, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { run } from "../stack/command.ts";
import type { ContainerConfig } from "./archive.ts";
import { bundle } from "./bundle.ts";
import { filledLayer, type Layer, type LayerSet } from "./layers.ts";
import { debianComponents, goComponents, nodeComponent, npmComponent, postgresComponent } from "./sbom.ts";

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
const postgresTree = path("postgres16");
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const debian: LayerSet = {
  name: "debian",
  inputs: [readFileSync(join(here, "base.sh"), "utf8")],
  // debootstrap mounts /proc in what it makes: in a mount namespace of its own, so that none stays where a build is killed.
  make: async (folder) => void (await run("unshare", ["--mount", join(here, "base.sh"), folder])),
};
const ofDebian = (name: string): Layer => ({
  set: debian,
  name,
  contains: (folder) => debianComponents(readFileSync(join(folder, `${name}.packages`), "utf8")),
});
const [base, storageTools, locales] = [ofDebian("base"), ofDebian("storage"), ofDebian("locales")] as const;

/** The Node.js that runs this build is the one that runs in the images. */
const node = filledLayer(
  "node",
  [process.version, process.arch],
  () => [nodeComponent(process.version)],
  (root) => place(process.execPath, root, "usr/local/bin/node"),
);

const postgresPrograms = filledLayer(
  "postgres16",
  [basename(postgresTree)],
  () => [postgresComponent("16.2")],
  async (root) => {
    await cp(postgresTree, join(root, "usr/lib/postgresql/16"), { recursive: true, verbatimSymlinks: true });
    await chmod(join(root, "usr/lib/postgresql/16"), 0o755); // a folder of the cache may be closed to others
    await rm(join(root, "usr/lib/postgresql/16/complete"));
  },
);

/** The folders that a server of the image's own writes to: user postgres is 999, as the official image numbers it. */
const postgresStart = filledLayer(
  "postgres-start",
  [basename(postgresTree), readFileSync(join(here, "postgres/entrypoint.sh"), "utf8")],
  () => [],
  async (root) => {
    await place(join(here, "postgres/entrypoint.sh"), root, "usr/local/bin/docker-entrypoint.sh");
    await mkdir(join(root, "docker-entrypoint-initdb.d"));
    await writeFile(await parents(root, "usr/lib/postgresql/16/share/postgresql/postgresql.conf.sample"), await imageDefaults());
    // Whatever user a pod runs as may put a database and a socket here.
    for (const folder of ["var/lib/postgresql", "var/lib/postgresql/data", "run/postgresql"]) {
      await mkdir(join(root, folder), { recursive: true });
      await chown(join(root, folder), 999, 999);
      await chmod(join(root, folder), folder === "var/lib/postgresql" ? 0o755 : 0o1777);
    }
  },
);

/**
 * What initdb copies: the build's own sample with the official image's two defaults. Its socket folder is /var/run/postgresql;
 * clients of this build look into /tmp where nobody says PGHOST, so a socket is in both.
 */
async function imageDefaults(): Promise<string> {
  const sample = await readFile(join(postgresTree, "share/postgresql/postgresql.conf.sample"), "utf8");
  const opened = sample.replace(/^#listen_addresses = 'localhost'/mu, "listen_addresses = '*'");
  // At the end: initdb rewrites the line that the sample has for it.
  return `${opened}
unix_socket_directories = '/var/run/postgresql,/tmp'
`;
}

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

async function place(file: string, root: string, target: string): Promise<void> {
  const placed = await parents(root, target);
  await copyFile(file, placed);
  await chmod(placed, 0o755);
}

async function parents(root: string, target: string): Promise<string> {
  await mkdir(dirname(join(root, target)), { recursive: true });
  return join(root, target);
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
    config: { ...nodeApp, Env: [`PATH=${searchPath}:/usr/lib/postgresql/16/bin`, ...nodeEnv.slice(1)] },
    layers: async () => [base, storageTools, postgresPrograms, node, await app("engine")],
  },
  postgres: {
    repository: "docker.io/library/postgres",
    tag: "16.2",
    config: {
      Env: [
        `PATH=${searchPath}:/usr/lib/postgresql/16/bin`,
        "LANG=en_US.utf8",
        "PG_MAJOR=16",
        "PG_VERSION=16.2",
        "PGDATA=/var/lib/postgresql/data",
      ],
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["postgres"],
      ExposedPorts: { "5432/tcp": {} },
      Volumes: { "/var/lib/postgresql/data": {} },
      StopSignal: "SIGINT",
    },
    layers: async () => [base, locales, postgresPrograms, postgresStart],
  },
  "csi-provisioner": upstream("csi-provisioner"),
  "csi-snapshotter": upstream("csi-snapshotter"),
  "csi-resizer": upstream("csi-resizer"),
  "csi-attacher": upstream("csi-attacher"),
  "snapshot-controller": upstream("snapshot-controller"),
  pause: {
    repository: "registry.local/pause",
    tag: "1",
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
    layers: async () => [program("pause")],
  },
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

/** Built only by their names: what the pods of Kubernetes' own storage tests run. Debian's shell and tools stand for busybox's. */
export const suiteRecipes: Readonly<Record<string, Recipe>> = {
  agnhost: ofSuite("agnhost", "2.63.0"),
  busybox: ofSuite("busybox", "1.37.0-1"),
  nginx: ofSuite("nginx", "1.15-4"), // runs a script from a volume, and serves nothing
  "glibc-dns-testing": ofSuite("glibc-dns-testing", "2.0.0"), // writes to volumes and reads from them, and asks no name
};
