import { schema, type TypeOf } from "../schema.ts";

/** A condition by the conventions of Kubernetes (the same fields as metav1.Condition). */
export const conditionSchema = schema({
  type: "object",
  description: "One thing that is or is not so, and why.",
  required: ["type", "status", "reason", "message", "lastTransitionTime"],
  properties: {
    type: { type: "string", description: "What the condition speaks of, for example Ready.", maxLength: 316 },
    status: { type: "string", description: "Whether it is so.", enum: ["True", "False", "Unknown"] },
    reason: { type: "string", description: "The cause in one word, for programs; the reference lists them.", maxLength: 1024 },
    message: { type: "string", description: "The cause and what to do next, for people.", maxLength: 32_768 },
    lastTransitionTime: { type: "string", format: "date-time", description: "When status last changed." },
    observedGeneration: {
      type: "integer",
      format: "int64",
      minimum: 0,
      example: 1,
      description: "The generation it was found for.",
    },
  },
});
export type Condition = TypeOf<typeof conditionSchema>;
export type ConditionStatus = Condition["status"];

export const conditions = schema({
  type: "array",
  description:
    "What is so and what is not, each with its reason. Ready sums them up; kubectl wait --for=condition=Ready waits for it.",
  listType: "map",
  mapKeys: ["type"],
  maxItems: 32,
  items: conditionSchema,
});

export const observedGeneration = schema({
  type: "integer",
  format: "int64",
  description: "The generation of the object that this status describes; -1 as long as nobody has looked.",
});

export const lastError = schema({
  type: "string",
  description: "The last error in words: what failed, on which object, why, and what to do next. Empty once it is overcome.",
  maxLength: 32_768,
});
