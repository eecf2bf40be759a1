/** The images of PostgreSQL, and what the engine's image has of each major. */

import { readFileSync } from "node:fs";
import { chmod, chown, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "../stack/command.ts";
import { base, libraries, locales, searchPath } from "./debian.ts";
import { filledLayer, type Layer, parents, place } from "./layers.ts";
import type { Recipe } from "./recipes.ts";
import { postgresComponent } from "./sbom.ts";

const here = import.meta.dirname;
const startScript = join(here, "postgres/entrypoint.sh");

type Build = {
  /** As cluster/postgres knows it. */
  readonly name: string;
  readonly version: string;
  /** Where the tree has its `errcodes.txt`, `extension` … */
  readonly share: string;
};
/** In names of images and layers: the build takes what has a dot in its name for half made. */
const called = ({ name }: Build): string => `postgres${name.replace(".", "-")}`;
const major = ({ version }: Build): string => version.slice(0, version.indexOf("."));

const ofDemo: Build = { name: "16", version: "16.2", share: "share/postgresql" };
const wheel = (name: string, version: string): Build => ({ name, version, share: "share" });
const wheels = [
  wheel("14", "14.23"),
  wheel("15", "15.19"),
  wheel("16.15", "16.15"),
  wheel("17", "17.11"),
  wheel("18", "18.6"),
] as const;

/** Where its tree lies; fetched where it is not there. */
async function treeOf(build: Build): Promise<string> {
  const { name, version } = build;
  const tree =
    build === ofDemo ? await run(join(here, "../paths"), ["postgres16"]) : await run(join(here, "../postgres"), [name]);
  const said = await run(join(tree, "bin/postgres"), ["-V"]);
  if (!said.trim().endsWith(` ${version}`))
    throw new Error(`${tree}: "${said.trim()}", not ${version}, as the image is to be called`);
  return tree;
}

const programs = (build: Build, tree: string): Layer => {
  const target = `usr/lib/postgresql/${major(build)}`;
  return filledLayer(
    called(build),
    [basename(tree)],
    () => [postgresComponent(build.version)],
    async (root) => {
      await cp(tree, join(root, target), { recursive: true, verbatimSymlinks: true });
      await chmod(join(root, target), 0o755); // a folder of the cache may be closed to others
      await rm(join(root, target, "complete"));
    },
  );
};

/** The folders that a server of the image's own writes to: user postgres is 999, as the official image numbers it. */
const start = (build: Build, tree: string): Layer =>
  filledLayer(
    `${called(build)}-start`,
    [basename(tree), readFileSync(startScript, "utf8")],
    () => [],
    async (root) => {
      await place(startScript, root, "usr/local/bin/docker-entrypoint.sh");
      await mkdir(join(root, "docker-entrypoint-initdb.d"));
      const sample = `${build.share}/postgresql.conf.sample`;
      const installed = await parents(root, `usr/lib/postgresql/${major(build)}/${sample}`);
      await writeFile(installed, imageDefaults(await readFile(join(tree, sample), "utf8")));
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
 * clients of these builds look into /tmp where nobody says PGHOST, so a socket is in both.
 */
function imageDefaults(sample: string): string {
  const opened = sample.replace(/^#listen_addresses = 'localhost'/mu, "listen_addresses = '*'");
  // At the end: initdb rewrites the line that the sample has for it.
  return `${opened}
unix_socket_directories = '/var/run/postgresql,/tmp'
`;
}

const image = (build: Build, tag: string, below: readonly Layer[]): Recipe => ({
  repository: "docker.io/library/postgres",
  tag,
  config: {
    Env: [
      `PATH=${searchPath}:/usr/lib/postgresql/${major(build)}/bin`,
      "LANG=en_US.utf8",
      `PG_MAJOR=${major(build)}`,
      `PG_VERSION=${build.version}`,
      "PGDATA=/var/lib/postgresql/data",
    ],
    Entrypoint: ["docker-entrypoint.sh"],
    Cmd: ["postgres"],
    ExposedPorts: { "5432/tcp": {} },
    Volumes: { "/var/lib/postgresql/data": {} },
    StopSignal: "SIGINT",
  },
  layers: async () => {
    const tree = await treeOf(build);
    return [...below, programs(build, tree), start(build, tree)];
  },
});

export const postgresRecipe = image(ofDemo, "16.2", [base, locales]);

/** Built only by their names: postgres14, postgres15, postgres16-15, postgres17, postgres18. */
export const majorRecipes: Readonly<Record<string, Recipe>> = Object.fromEntries(
  wheels.map((build) => [called(build), image(build, build.name, [base, libraries, locales])]),
);

/**
 * What the engine runs: of each major a server that recovers or follows its source and pg_controldata, of the newest the clients. To
 * recover the servers load no library of their own, but insist on the folder, and read one folder of their share. To follow a source
 * they load one, which takes the libpq beside it: the newest, since older ones do not know which ways of a login the engine refuses.
 */
export async function recovery(): Promise<readonly Layer[]> {
  const newest = wheels[4]; // the last
  const trees = await Promise.all(wheels.map(async (build) => ({ build, tree: await treeOf(build) })));
  const layer = filledLayer(
    "recovery",
    trees.map(({ tree }) => basename(tree)),
    () => wheels.map(({ version }) => postgresComponent(version)),
    async (root) => {
      for (const { build, tree } of trees) {
        const clients = build === newest ? ["bin/psql", "bin/pg_basebackup", "lib/libpq.so.5"] : [];
        for (const file of ["bin/postgres", "bin/pg_controldata", ...clients])
          await place(join(tree, file), root, `usr/lib/postgresql/${major(build)}/${file}`);
        const library = `usr/lib/postgresql/${major(build)}/lib`;
        await mkdir(join(root, library), { recursive: true });
        await place(join(tree, "lib/libpqwalreceiver.so"), root, `${library}/libpqwalreceiver.so`);
        if (build !== newest) await symlink(`../../${major(newest)}/lib/libpq.so.5`, join(root, library, "libpq.so.5"));
        const abbreviations = "share/timezonesets";
        await cp(join(tree, abbreviations), join(root, `usr/lib/postgresql/${major(build)}`, abbreviations), { recursive: true });
      }
    },
  );
  return [libraries, layer];
}
