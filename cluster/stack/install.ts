import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import { clone } from "./clone.ts";
import { at, entries, items, parseJson, text } from "./json.ts";
import type { Kubectl } from "./kubectl.ts";
import { ensureNamespace, linkRole, linkSecret, productionNamespace } from "./production.ts";

export const operatorNamespace = "pg-operator";
export const storageNamespace = "delphix-storage";
export const engineName = "delphix-engine";
export const sourceName = "production";

/** The two charts and where they go; the operator first, because its chart makes the Secret that the engine fills in. */
export const releases = [
  { chart: "delphix-operator", namespace: operatorNamespace },
  { chart: "delphix-storage", namespace: storageNamespace },
] as const;

/** What an installation can differ in; the rest are the charts' defaults. */
export type InstallOptions = {
  /** Merged over the values of charts/delphix-operator. */
  readonly operatorValues?: Readonly<Record<string, unknown>>;
  /** Merged over the values of charts/delphix-storage. */
  readonly storageValues?: Readonly<Record<string, unknown>>;
};

/** Image name → `repository:tag`, as the image build left it. */
export function builtImages(): Readonly<Record<string, string>> {
  return Object.fromEntries(entries(parseJson(readFileSync(join(clone, ".local/images.json"), "utf8"))));
}

/** Installs both charts, or brings an installation to these values. */
export async function installCharts(kubectl: Kubectl, options: InstallOptions = {}): Promise<void> {
  await ensureNamespace(kubectl, storageNamespace, "privileged");
  await ensureNamespace(kubectl, operatorNamespace, "restricted");
  const images = builtImages();
  // A manifest without an image is given the one that is built here: others are out of reach of the local cluster.
  const defaults = { images: { "16": images["postgres"] } };
  const operator = { image: builtImage("operator"), defaults, ...options.operatorValues };
  await takeDefinitionsOver(kubectl);
  await upgrade(kubectl, "delphix-operator", operatorNamespace, operator);
  await upgrade(kubectl, "delphix-storage", storageNamespace, {
    ...storageValues(engineName, sourceName),
    ...options.storageValues,
  });
}

function builtImage(name: string): { readonly repository: string; readonly tag: string } {
  const [, repository = "", tag = ""] = /^(.*):([^:/]+)$/u.exec(builtImages()[name] ?? "") ?? [];
  if (repository === "") throw new Error(`image ${name} is not built: run make images`);
  return { repository, tag };
}

/** The dSource of empty volumes. */
export const emptySource = "empty";

/** What charts/delphix-storage needs here: the built images, and an engine that links the production database. */
export function storageValues(engine: string, source: string): Readonly<Record<string, unknown>> {
  const image = builtImage;
  return {
    images: {
      csi: image("csi"),
      engine: image("engine"),
      provisioner: image("csi-provisioner"),
      snapshotter: image("csi-snapshotter"),
      resizer: image("csi-resizer"),
      attacher: image("csi-attacher"),
      snapshotController: image("snapshot-controller"),
    },
    engine: {
      config: {
        name: engine,
        pool: { fileSystem: process.env["POOL"] ?? "auto" },
        dsources: [
          {
            name: source,
            group: "Untitled",
            host: `production.${productionNamespace}.svc`,
            port: 5432,
            user: linkRole,
            passwordSecret: { name: linkSecret, key: "password" },
          },
          { name: emptySource, empty: true },
        ],
      },
    },
  };
}

/** What has to come first where an earlier helm was killed at its work: it would refuse an upgrade for good. */
export function recovery(status: string): "uninstall" | "rollback" | undefined {
  if (status === "pending-install" || status === "uninstalling") return "uninstall"; // there is nothing to go back to
  return status === "pending-upgrade" || status === "pending-rollback" ? "rollback" : undefined;
}

async function recover(kubectl: Kubectl, chart: string, namespace: string): Promise<void> {
  const found = items(parseJson(await kubectl.helm(["list", "-n", namespace, "--filter", `^${chart}$`, "-o", "json"])))[0];
  const first = recovery(text(found, "status"));
  if (first !== undefined) await kubectl.helm([first, chart, "-n", namespace, "--wait", "--timeout", "3m"]);
}

/** Installs or upgrades the release; `chart`: its folder, that of the release's name unless it is given. */
export async function upgrade(
  kubectl: Kubectl,
  release: string,
  namespace: string,
  values: unknown,
  chart: string = join(clone, "charts", release),
): Promise<void> {
  await recover(kubectl, release, namespace);
  const folder = mkdtempSync(join(tmpdir(), "values-"));
  try {
    const file = join(folder, "values.yaml");
    writeFileSync(file, stringify(values));
    await kubectl.helm(["upgrade", "--install", release, chart, "-n", namespace, "-f", file, "--wait", "--timeout", "5m"]);
  } catch (error) {
    const advice = conflictAdvice(release, error instanceof Error ? error.message : String(error));
    throw advice === undefined ? error : new Error(advice, { cause: error });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Gives the fields of our resource definitions back to helm where somebody has applied the definitions by hand: helm would refuse to
 * change them. They are ours, so nobody loses anything by it.
 */
async function takeDefinitionsOver(kubectl: Kubectl): Promise<void> {
  const definitions = items(parseJson(await kubectl.run(["get", "crd", "-o", "json", "--show-managed-fields"])), "items");
  const taken = definitions.some(
    (definition) =>
      text(definition, "spec", "group").endsWith(".delphix.com") &&
      items(at(definition, "metadata"), "managedFields").some(
        (entry) => text(entry, "manager") !== "helm" && text(entry, "subresource") === "",
      ),
  );
  if (!taken) return;
  const folder = join(clone, "charts/delphix-operator/templates/crds");
  await kubectl.run(["apply", "--server-side", "--force-conflicts", "--field-manager=helm", "-f", folder]);
}

/** In one line, what two kilobytes of helm mean: somebody else has applied what helm is to change. Undefined: it is another error. */
export function conflictAdvice(release: string, said: string): string | undefined {
  const owners = new Set([...said.matchAll(/conflicts? with "([^"]+)"/gu)].map(([, owner]) => owner));
  if (owners.size === 0) return undefined;
  const objects = new Set(
    [...said.matchAll(/(?:object|resource) \S*?\/?([\w.-]+) [\w./-]+, Kind=(\w+)/gu)].map(([, name, kind]) => `${kind} ${name}`),
  );
  const what = objects.size === 0 ? "objects of this chart" : [...objects].join(", ");
  return (
    `helm cannot upgrade release ${release}: ${[...owners].join(", ")} has changed ${what} since. ` +
    "If the chart's values are to hold, run the same helm upgrade once with --force-conflicts"
  );
}
