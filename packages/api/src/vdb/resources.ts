import { schema, type TypeOf } from "../schema.ts";

const amounts = (description: string) =>
  schema({
    type: "object",
    description,
    maxProperties: 8,
    values: { quantity: "zero or more", example: "500m", description: 'An amount, for example cpu: "500m" or memory: "1Gi".' },
  });

export const resources = schema({
  type: "object",
  description: "What the database's container asks for and may use, as in any pod.",
  required: [],
  properties: {
    requests: amounts("What is set aside for the container; the scheduler looks for a node that has it."),
    limits: amounts(
      "What the container may use at most. shared_buffers is set by the memory limit where postgresConfig is silent.",
    ),
  },
  rules: [
    {
      rule:
        "!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits)" +
        " || !isQuantity(string(self.requests[name])) || !isQuantity(string(self.limits[name]))" +
        " || quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) <= 0)",
      message: 'requests must not exceed limits, for example requests.memory: "1Gi" with limits.memory: "4Gi"',
    },
  ],
});
export type Resources = TypeOf<typeof resources>;
