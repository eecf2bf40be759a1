import { dnsSubdomain, dnsSubdomainWords, subdomainLength } from "../fields/names.ts";
import { snapshotStatus } from "../fields/snapshot.ts";
import { schema, type TypeOf } from "../schema.ts";

/** For kinds that can tell beforehand what they would do. */
export const planning = {
  planOnly: {
    type: "boolean",
    description: "true: the action changes nothing. It ends at once, and status.plan tells what it would do.",
    default: false,
  },
  planRef: {
    type: "object",
    description:
      "The plan that has to hold: the action refuses to begin if it would do something else by now. With planOnly: it tells whether that plan holds.",
    required: ["name"],
    properties: {
      name: {
        type: "string",
        description: "The name of an action of the same kind and namespace that had planOnly and has completed.",
        maxLength: subdomainLength,
        pattern: dnsSubdomain,
        allowed: `an action's name: ${dnsSubdomainWords}`,
        example: "my-plan",
      },
    },
  },
} as const;

const text = (description: string, maxLength = 512) => schema({ type: "string", description, maxLength });
const time = (description: string) => schema({ type: "string", format: "date-time", description });

const plan = schema({
  type: "object",
  description: "What the action would do, as of its end. Only with spec.planOnly.",
  required: ["steps", "hooks", "blockers"],
  properties: {
    steps: {
      type: "array",
      description: "Its steps in order, as status.steps has them when they are carried out.",
      listType: "map",
      mapKeys: ["name"],
      maxItems: 64,
      items: {
        type: "object",
        description: "One step.",
        required: ["name", "phase"],
        properties: { name: text("The step's name.", 63), phase: text("The phase in which it runs.", 63) },
      },
    },
    snapshot: { ...snapshotStatus, description: "The snapshot whose data the database would get." },
    hooks: {
      type: "array",
      description: "The hooks and scripts that would run, in order.",
      listType: "map",
      mapKeys: ["stage", "name"],
      maxItems: 128,
      items: {
        type: "object",
        description: "One hook of the database, or a script of the action.",
        required: ["stage", "name"],
        properties: {
          stage: text("Its stage, or for a script of the action the field that has it.", 63),
          name: text("Its name.", 63),
        },
      },
    },
    blockers: {
      type: "array",
      description: "What the action would wait for, or fail with.",
      listType: "atomic",
      maxItems: 16,
      items: {
        type: "object",
        description: "One of them.",
        required: ["reason", "message"],
        properties: {
          reason: text("The reason that its conditions would have.", 63),
          message: text("The same for people.", 32_768),
        },
      },
    },
    lost: {
      type: "object",
      description: "What would not be in the database any more.",
      required: [],
      properties: {
        since: time("What clients have changed since then."),
        savedBy: {
          type: "object",
          description: "The newest VolumeSnapshot that has some of it. Absent: none has.",
          required: ["name", "time"],
          properties: { name: text("Its name.", 253), time: time("The moment whose data it holds.") },
        },
        walBytes: {
          type: "integer",
          format: "int64",
          description:
            "At most so many bytes of WAL were written since an action last took a VolumeSnapshot of this data: no snapshot has them.",
          minimum: 0,
          example: 16_777_216,
        },
        walUnknown: text("Why walBytes is not known."),
      },
    },
    dependants: {
      type: "array",
      description: "The databases that were made from this one. They keep their data.",
      listType: "set",
      maxItems: 256,
      items: text("One of them, as namespace/name.", 317),
    },
    previous: {
      type: "object",
      description: "What would become of the data that the database has now.",
      required: ["kept"],
      properties: {
        kept: { type: "boolean", description: "Whether a rewind to previous could return to it." },
        for: text("For how long after the end.", 64),
        discards: text("The id of the data that is previous now, and would be discarded.", 63),
      },
    },
    downtime: {
      type: "object",
      description:
        "How long clients would be kept out, by what earlier actions on this database have taken. Absent: there were none.",
      required: ["seconds", "runs"],
      properties: {
        seconds: { type: "integer", format: "int32", description: "The median.", minimum: 0, example: 4 },
        runs: { type: "integer", format: "int32", description: "Of how many.", minimum: 1, example: 3 },
      },
    },
    contentId: text("The data that the database has now.", 63),
    generation: { type: "integer", format: "int64", description: "The generation of the PostgresVDB.", minimum: 0, example: 1 },
  },
});
export type ActionPlan = TypeOf<typeof plan>;
export const planResult = { plan } as const;
