import { type Client, configMaps } from "kube-runtime";
import { defaultNames, type SpecDefaults } from "./volume-spec.ts";

/**
 * What holds where a claim says nothing: a key of the ConfigMap, named as the annotation is, and before it the driver's flag. Read for
 * each volume, so that a change holds from the next claim on. Without a ConfigMap, and for a key that is empty, the flags hold.
 */
export async function readDefaults(
  client: Pick<Client, "find">,
  where: { readonly namespace: string; readonly name: string },
  flags: SpecDefaults,
  signal: AbortSignal,
): Promise<SpecDefaults> {
  const data = (await client.find(configMaps, where, signal))?.data ?? {};
  const given = defaultNames.map((name) => [name, (data[name] ?? "").trim()] as const).filter(([, value]) => value !== "");
  return { ...flags, ...Object.fromEntries(given) };
}
