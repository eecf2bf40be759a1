import { type Rule, schema, type TypeOf } from "../schema.ts";

/** With less PostgreSQL does not start, or the container's own programs are killed. */
export const leastMemory = "32Mi";
/** Less than this is a slip of the pen: half a byte, some bytes. */
export const leastStorage = "1Mi";

const bytes = (description: string, least: string, example: string) =>
  schema({ quantity: "zero or more", least, example, description });

const amounts = (description: string) =>
  schema({
    type: "object",
    description,
    required: [],
    properties: {
      cpu: {
        quantity: "any number",
        example: "500m",
        description: "Cores: 2, 0.5 or, in thousandths, 500m.",
      },
      memory: bytes("Memory.", leastMemory, "1Gi"),
      "ephemeral-storage": bytes("Space on the node for logs and temporary files.", leastStorage, "1Gi"),
      "hugepages-2Mi": bytes("Memory in pages of 2 MiB.", "2Mi", "512Mi"),
      "hugepages-1Gi": bytes("Memory in pages of 1 GiB.", "1Gi", "1Gi"),
    },
  });

/** cpu has none: no rule can look at it, so the operator refuses what is wrong with it. */
const withinLimit = (name: string, example: string): Rule => {
  const field = name.replaceAll("-", "__dash__");
  const both = ["requests", "limits"].map((which) => `has(self.${which}) && has(self.${which}.${field})`).join(" && ");
  const [asked, most] = ["requests", "limits"].map((which) => `string(self.${which}.${field})`);
  return {
    rule: `!(${both}) || !isQuantity(${asked}) || !isQuantity(${most}) || !quantity(${asked}).isGreaterThan(quantity(${most}))`,
    fieldPath: `.requests.${name}`,
    message: `must not exceed limits.${name}, for example ${example}`,
  };
};

export const resources = schema({
  type: "object",
  description: "What the database's container asks for and may use, as in any pod.",
  required: [],
  properties: {
    requests: amounts("What the node sets aside for the container. The scheduler chooses a node that has it."),
    limits: amounts(
      "What the container may use at most. The memory limit bounds shared_buffers where postgresConfig does not set it.",
    ),
  },
  rules: [
    withinLimit("memory", 'memory: "1Gi" with limits.memory: "4Gi"'),
    withinLimit("ephemeral-storage", "1Gi with a limit of 2Gi"),
    withinLimit("hugepages-2Mi", "512Mi with a limit of 512Mi"),
    withinLimit("hugepages-1Gi", "1Gi with a limit of 1Gi"),
  ],
});
export type Resources = TypeOf<typeof resources>;
