/** A protobuf message as it came over the wire: the one place where its fields turn from `unknown` into types. */
export interface Message {
  readonly string: (field: string) => string;
  readonly boolean: (field: string) => boolean;
  readonly number: (field: string) => number;
  /** A message field; undefined when it was not sent. */
  readonly message: (field: string) => Message | undefined;
  readonly messages: (field: string) => readonly Message[];
  readonly texts: (field: string) => readonly string[];
  readonly strings: (field: string) => Readonly<Record<string, string>>;
}

/** protobuf has checked the types already and filled in defaults, so a mismatch here is a fault of ours, not of the caller. */
export function messageOf(value: unknown): Message {
  if (!isObject(value)) throw new TypeError("a protobuf message is an object");
  return {
    string: (field) => {
      const found = value[field] ?? "";
      if (typeof found !== "string") throw typed(field, "string");
      return found;
    },
    boolean: (field) => {
      const found = value[field] ?? false;
      if (typeof found !== "boolean") throw typed(field, "boolean");
      return found;
    },
    number: (field) => {
      const found = value[field] ?? 0;
      if (typeof found !== "number") throw typed(field, "number");
      return found;
    },
    message: (field) => (isObject(value[field]) ? messageOf(value[field]) : undefined),
    messages: (field) => (Array.isArray(value[field]) ? value[field].map(messageOf) : []),
    texts: (field) => (Array.isArray(value[field]) ? value[field].map(String) : []),
    strings: (field) => {
      const found = value[field];
      if (!isObject(found)) return {};
      return Object.fromEntries(Object.entries(found).map(([key, one]) => [key, String(one)]));
    },
  };
}

const typed = (field: string, type: "string" | "boolean" | "number"): TypeError =>
  new TypeError(`protobuf field ${field} is not a ${type}`);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
