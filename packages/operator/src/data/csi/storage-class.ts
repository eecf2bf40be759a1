import { type Client, type StorageClass, storageClasses } from "kube-runtime";
import { SourceRefusal } from "../refusal.ts";

const isDefault = ({ metadata: { annotations } }: StorageClass): boolean =>
  annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";

/**
 * The class of a copy, whose volume only the driver of the source can make: the manifest's, else that of the source's own volume,
 * else the only or the default one of the driver. Throws a SourceRefusal that names the classes where none of them will do.
 */
export async function classFor(
  client: Client,
  {
    asked,
    ofSource,
    driver,
  }: { readonly asked: string | undefined; readonly ofSource: string | undefined; readonly driver: string },
  signal: AbortSignal,
): Promise<string> {
  const { items } = await client.list(storageClasses, {}, signal);
  return chooseClass(items, asked, ofSource, driver);
}

/** Pure. */
export function chooseClass(
  classes: readonly StorageClass[],
  asked: string | undefined,
  ofSource: string | undefined,
  driver: string,
): string {
  const fitting = classes.filter(({ provisioner }) => provisioner === driver);
  const names = fitting.map(({ metadata }) => metadata.name).toSorted();
  if (asked !== undefined) {
    const found = classes.find(({ metadata }) => metadata.name === asked);
    // One that does not exist is told of by the claim, as for every other source.
    if (found === undefined || found.provisioner === driver) return asked;
    throw unusable(`spec.storageClassName ${asked} is of the driver ${found.provisioner}, but the source is of ${driver}`, names);
  }
  if (ofSource !== undefined && names.includes(ofSource)) return ofSource;
  const [chosen] = fitting.length === 1 ? fitting : fitting.filter(isDefault);
  if (chosen !== undefined) return chosen.metadata.name;
  throw unusable(
    names.length === 0
      ? `no StorageClass is of the source's driver ${driver}`
      : `the source's driver ${driver} has several StorageClasses`,
    names,
  );
}

const unusable = (what: string, names: readonly string[]): SourceRefusal =>
  new SourceRefusal(
    "StorageClassNotUsable",
    names.length === 0 ? `${what}: create one` : `${what}: set spec.storageClassName to one of ${names.join(", ")}`,
  );
