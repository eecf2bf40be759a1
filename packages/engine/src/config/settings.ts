/** The engine's configuration file, decoded and with its defaults. */
import { DecodeError, type Decoder, list, number, object, string } from "@vdb/dct";
import { parse } from "yaml";
import { parseBytes, parseSeconds } from "./units.ts";

export interface DSourceSettings {
  readonly name: string;
  readonly group: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly sslmode: string;
  readonly database?: string;
  readonly passwordSecret?: { readonly name: string; readonly key: string };
  readonly intervalSeconds?: number;
  /** So many snapshots made by interval are kept. */
  readonly keep: number;
}

export interface Settings {
  readonly name: string;
  readonly groups: readonly string[];
  readonly environments: readonly { readonly name: string; readonly repository: string }[];
  readonly dsources: readonly DSourceSettings[];
  /** Undefined: decided when the pool is made. */
  readonly poolSizeBytes: number | undefined;
  /** Undefined: 256 MiB or 2 % of the pool, whichever is more. */
  readonly reserveBytes: number | undefined;
}

const sslmodes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
const emptyRepository = "Empty vFile Repository";

const bytes: Decoder<number> = (value, at) => (typeof value === "number" ? number(value, at) : parseBytes(string(value, at), at));
const seconds: Decoder<number> = (value, at) =>
  typeof value === "number" ? number(value, at) : parseSeconds(string(value, at), at);
const port: Decoder<number> = (value, at) => {
  if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > 65_535)
    throw new DecodeError(at, "a port from 1 to 65535", value);
  return number(value, at);
};
/** Names are what people write after a colon and inside a filter: see resolveDataset and the filter builder of @vdb/dct. */
const name: Decoder<string> = (value, at) => {
  const text = string(value, at);
  if (text.trim() !== text || text === "" || text.length > 256 || /\p{Cc}/u.test(text))
    throw new Error(`${at}: not a name: ${JSON.stringify(text)}`);
  return text;
};
const sslmode: Decoder<string> = (value, at) => {
  if (!sslmodes.some((mode) => mode === value)) throw new Error(`${at}: one of ${sslmodes.join(", ")}`);
  return string(value, at);
};

const decodeDSource = object(
  { name, host: name, user: name },
  {
    group: name,
    port,
    database: name,
    passwordSecret: object({ name, key: name }, {}),
    sslmode,
    interval: seconds,
    keep: number,
  },
);
const decodeFile = object(
  {},
  {
    name,
    groups: list(name),
    environments: list(object({ name }, { repository: name })),
    dsources: list(decodeDSource),
    pool: object({}, { size: bytes, reserve: bytes }),
  },
);

/** An empty text is the default configuration. Throws with the path of what is wrong. */
export function decodeSettings(yaml: string): Settings {
  const file = decodeFile(parse(yaml) ?? {}, "configuration");
  const groups = file.groups ?? ["Untitled"];
  const environments = file.environments ?? [{ name: "dev-env" }];
  const [firstGroup] = groups;
  if (firstGroup === undefined) throw new Error("configuration.groups: at least one is needed");
  const dsources = (file.dsources ?? []).map(({ interval, ...given }) => ({
    group: firstGroup,
    port: 5432,
    sslmode: "prefer",
    keep: 3,
    ...given,
    ...(interval === undefined ? {} : { intervalSeconds: interval }),
  }));
  refuseDuplicates("groups", groups);
  refuseDuplicates(
    "environments",
    environments.map((one) => one.name),
  );
  refuseDuplicates(
    "dsources",
    dsources.map((one) => `${one.group}/${one.name}`),
  );
  const stray = dsources.find(({ group }) => !groups.includes(group));
  if (stray !== undefined)
    throw new Error(`configuration.dsources: ${stray.name} is in group ${stray.group}, which is none of groups`);
  return {
    name: file.name ?? "delphix-engine",
    groups,
    environments: environments.map((one) => ({ repository: emptyRepository, ...one })),
    dsources,
    poolSizeBytes: file.pool?.size,
    reserveBytes: file.pool?.reserve,
  };
}

function refuseDuplicates(where: string, names: readonly string[]): void {
  const twice = names.find((one, i) => names.indexOf(one) !== i);
  if (twice !== undefined) throw new Error(`configuration.${where}: ${twice} stands there twice`);
}
