import { schema, type TypeOf } from "../schema.ts";

/** A condition by the conventions of Kubernetes (the same fields as metav1.Condition). */
export const conditionSchema = schema({
  type: "object",
  description: "One statement about the object, whether it is true, and why.",
  required: ["type", "status", "reason", "message", "lastTransitionTime"],
  properties: {
    type: { type: "string", description: "What the condition is about, for example Ready.", maxLength: 316 },
    status: { type: "string", description: "Whether the condition holds.", enum: ["True", "False", "Unknown"] },
    reason: {
      type: "string",
      description: "The cause in one word, for programs. The reference lists the reasons.",
      maxLength: 1024,
    },
    message: { type: "string", description: "The cause and what to do next, for people.", maxLength: 32_768 },
    lastTransitionTime: { type: "string", format: "date-time", description: "When status last changed." },
    observedGeneration: {
      type: "integer",
      format: "int64",
      minimum: 0,
      example: 1,
      description: "The generation of the object that the condition describes.",
    },
  },
});
export type Condition = TypeOf<typeof conditionSchema>;
export type ConditionStatus = Condition["status"];

export const conditions = schema({
  type: "array",
  description:
    "The state of the object in detail, each part with its reason. Ready sums them up: kubectl wait --for=condition=Ready waits for it.",
  listType: "map",
  mapKeys: ["type"],
  maxItems: 32,
  items: conditionSchema,
});

export const observedGeneration = schema({
  type: "integer",
  format: "int64",
  description: "The generation of the object that this status describes. -1: the operator has not looked yet.",
});

export const lastError = schema({
  type: "string",
  description: "The last error in words: what failed, on which object, why, and what to do next. Empty once the error is gone.",
  maxLength: 32_768,
});
