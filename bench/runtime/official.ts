import {
  CoreV1Api,
  CustomObjectsApi,
  type Informer,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  type ObjectCache,
  type V1Pod,
} from "@kubernetes/client-node";
import { gadgets } from "./gadget.ts";

/** The official client's informers, as its documentation shows them. */
type OfficialInformer<T extends KubernetesObject> = Informer<T> & ObjectCache<T>;

export function officialPods(kubeconfig: string): OfficialInformer<V1Pod> {
  const config = load(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  return makeInformer(config, "/api/v1/pods", () => core.listPodForAllNamespaces());
}

export function officialGadgets(kubeconfig: string): OfficialInformer<KubernetesObject> {
  const config = load(kubeconfig);
  const custom = config.makeApiClient(CustomObjectsApi);
  const { group, version, plural } = gadgets;
  const list = async (): Promise<KubernetesListObject<KubernetesObject>> => {
    const answer: unknown = await custom.listClusterCustomObject({ group, version, plural });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the official client gives `any` for custom objects
    return answer as KubernetesListObject<KubernetesObject>;
  };
  return makeInformer(config, `/apis/${group}/${version}/${plural}`, list);
}

function load(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}
