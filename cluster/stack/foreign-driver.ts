import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clone } from "./clone.ts";
import { storageValues, upgrade } from "./install.ts";
import { text } from "./json.ts";
import type { Kubectl } from "./kubectl.ts";
import { ensureNamespace, ensureSecret, linkSecret, productionNamespace, secretYaml } from "./production.ts";

/** Our driver a second time, as one of somebody else: under another name, with classes and an engine of its own. */
export const foreignDriver = {
  name: "foreign.csi.test",
  namespace: "foreign-storage",
  storageClass: "foreign",
  engine: "foreign-engine",
  source: "foreign-production",
} as const;

/** The driver's name is no value of the chart, so the chart is copied. */
export async function installForeignDriver(kubectl: Kubectl): Promise<void> {
  const { name, namespace, storageClass, engine, source } = foreignDriver;
  await ensureNamespace(kubectl, namespace, "privileged");
  const passwords = await ensureSecret(kubectl, productionNamespace, "production-passwords", ["postgres", "link"]);
  await kubectl.apply(secretYaml(namespace, linkSecret, { password: passwords["link"] ?? "" }));
  const folder = mkdtempSync(join(tmpdir(), "foreign-"));
  try {
    cpSync(join(clone, "charts/delphix-storage"), folder, { recursive: true });
    const helpers = join(folder, "templates/_helpers.tpl");
    writeFileSync(helpers, readFileSync(helpers, "utf8").replace("defs.csi.delphix.com", name));
    const { images, engine: linked } = storageValues(engine, source);
    const extraArgs = [`--driver-name=${name}`];
    const values = {
      images,
      operatorNamespace: "",
      storageClass: { name: storageClass },
      snapshots: { class: { name: storageClass }, controller: { install: "never" } },
      csi: { controller: { extraArgs }, node: { extraArgs } },
      engine: { ...Object(linked), dataDir: "/var/lib/foreign-engine", removeDataOnUninstall: true },
    };
    await upgrade(kubectl, namespace, namespace, values, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** With its pool. Its volumes have to be gone. */
export async function uninstallForeignDriver(kubectl: Kubectl): Promise<void> {
  const { namespace } = foreignDriver;
  await kubectl.helm(["uninstall", namespace, "-n", namespace, "--ignore-not-found", "--wait", "--timeout", "3m"]);
  await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
}

/** The names of its volumes. */
export async function foreignVolumes(kubectl: Kubectl): Promise<readonly string[]> {
  const volumes = await kubectl.list("persistentvolumes");
  return volumes
    .filter((volume) => text(volume, "spec", "csi", "driver") === foreignDriver.name)
    .map((volume) => text(volume, "metadata", "name"));
}
