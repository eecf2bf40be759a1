import { dnsSubdomain, dnsSubdomainWords, labelLength, subdomainLength } from "../fields/names.ts";
import { type Rule, schema, type TextMap, type TypeOf } from "../schema.ts";

/** Labels of the pod by which the operator and Kubernetes find it. */
export const ownedLabels = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/instance",
  "app.kubernetes.io/managed-by",
  "pod-template-hash",
] as const;
/** What begins so on the operator's objects is its own. */
export const ownedPrefix = "postgresvdb.core.delphix.com/";

const name = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
const prefix = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/";
const names: Rule = {
  rule: `self.all(name, name.matches('^(${prefix})?${name}$'))`,
  message: "must have names as Kubernetes allows them, for example team or example.com/team",
};
const notOwned = (owned: readonly string[]): Rule => ({
  rule: `self.all(name, !name.startsWith('${ownedPrefix}') && !(name in [${owned.map((one) => `'${one}'`).join(", ")}]))`,
  message: `must not have what the operator owns: leave out ${[...owned, `${ownedPrefix}…`].join(", ")}`,
});

const labelValue = {
  type: "string",
  description: "The value.",
  maxLength: labelLength,
  pattern: `^(${name})?$`,
  allowed: "at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, or empty",
  example: "payments",
} as const;

const annotations = (description: string) =>
  ({
    type: "map",
    description,
    maxProperties: 32,
    values: { type: "string", description: "The value.", maxLength: 4096 },
    rules: [names, notOwned([])],
  }) as const satisfies TextMap;

const toleration = {
  type: "object",
  description: "A taint of nodes that the pod tolerates.",
  required: [],
  properties: {
    key: { type: "string", description: "The taint's key. Left out, with operator Exists: every taint.", maxLength: 317 },
    operator: {
      type: "string",
      description: "Equal: the taint has this value. Exists: it has any value.",
      enum: ["Equal", "Exists"],
      default: "Equal",
    },
    value: { type: "string", description: "The taint's value, with operator Equal.", maxLength: labelLength },
    effect: {
      type: "string",
      description: "The taint's effect. Left out: every effect.",
      enum: ["NoSchedule", "PreferNoSchedule", "NoExecute"],
    },
    tolerationSeconds: {
      type: "integer",
      format: "int64",
      description: "How long the pod stays on a node that gets the taint, with effect NoExecute. Left out: for ever.",
      minimum: 0,
      maximum: 2_147_483_647,
      example: 300,
    },
  },
  rules: [
    {
      rule: "self.operator == 'Exists' ? !has(self.value) || self.value == '' : has(self.key) && self.key != ''",
      message:
        "must have a key with operator Equal, and no value with operator Exists, for example {key: dedicated, value: databases}",
    },
    {
      rule: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
      fieldPath: ".tolerationSeconds",
      message: "needs effect NoExecute, for example {key: slow, operator: Exists, effect: NoExecute, tolerationSeconds: 300}",
    },
  ],
} as const;

export const podTemplate = schema({
  type: "object",
  description:
    "How the database's pod is labelled and placed, and its Service and PodDisruptionBudget. What the operator owns in these objects stays its own.",
  required: [],
  properties: {
    labels: {
      type: "map",
      description: "More labels of the pod. A change replaces the pod.",
      maxProperties: 32,
      values: labelValue,
      rules: [names, notOwned(ownedLabels)],
    },
    annotations: annotations("Annotations of the pod. A change replaces the pod."),
    nodeSelector: {
      type: "map",
      description:
        "Labels of the nodes that may run the pod. The volume may narrow them down further. A change replaces the pod.",
      maxProperties: 32,
      values: labelValue,
      rules: [names],
    },
    tolerations: {
      type: "array",
      description: "Taints of nodes that the pod tolerates. A change replaces the pod.",
      listType: "atomic",
      maxItems: 32,
      items: toleration,
    },
    affinity: {
      type: "foreign",
      description:
        "Affinity to nodes and pods, as in spec.affinity of a pod. The API server checks it when the operator writes the Deployment; Deployed contains what it refuses. A change replaces the pod.",
    },
    priorityClassName: {
      type: "string",
      description: "The PriorityClass of the pod. It has to exist. A change replaces the pod.",
      maxLength: subdomainLength,
      pattern: dnsSubdomain,
      allowed: `a PriorityClass's name: ${dnsSubdomainWords}`,
      example: "databases",
    },
    service: {
      type: "object",
      description: "The database's Service. A change leaves the pod alone.",
      required: [],
      properties: {
        type: {
          type: "string",
          description: "ClusterIP: inside the cluster alone. NodePort, LoadBalancer: from outside too, once the gate is open.",
          enum: ["ClusterIP", "NodePort", "LoadBalancer"],
          default: "ClusterIP",
        },
        annotations: annotations("Annotations of the Service, for example for a load balancer or external-dns."),
      },
    },
    podDisruptionBudget: {
      type: "object",
      description:
        "A PodDisruptionBudget for the pod. Left out: there is none, and a drained node moves the pod. A change leaves the pod alone.",
      required: [],
      properties: {
        maxUnavailable: {
          type: "integer",
          format: "int32",
          description: "0: nobody may evict the pod while it is ready, so that draining its node waits. 1: it may be evicted.",
          minimum: 0,
          maximum: 1,
          default: 0,
          example: 0,
        },
      },
    },
  },
});
export type VdbPodTemplate = TypeOf<typeof podTemplate>;
