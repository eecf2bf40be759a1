/** The engine's configuration file, decoded and with its defaults. */
import { type Decoded, DecodeError, type Decoder, exactObject, list, number, string } from "@vdb/dct";
import { parse } from "yaml";
import type { NoConnection } from "../catalogue/rows.ts";
import type { SecretRef } from "../link/secrets.ts";
import type { Sync } from "../link/sync.ts";
import { type WantedFileSystem, wantedFileSystems } from "../pool/file-system.ts";
import { host, name } from "../text-rules.ts";
import {
  asksForNothing,
  database,
  emptySource,
  oneOf,
  port,
  requireAuthority,
  secrets,
  sslmode,
  sync,
  user,
} from "./connection-fields.ts";
import { parseBytes, parseSeconds } from "./units.ts";

export type DSourceSettings = LinkedSettings | EmptySettings;

interface EmptySettings extends NoConnection {
  readonly name: string;
  readonly group: string;
}

interface LinkedSettings {
  readonly name: string;
  readonly group: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly sslmode: string;
  readonly database?: string;
  readonly passwordSecret?: SecretRef;
  /** The certificate of the authority that signed the server's. */
  readonly sslRootCertSecret?: SecretRef;
  /** How later snapshots come; left out: see link/sync.ts. */
  readonly sync?: Sync;
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
  readonly poolFileSystem: WantedFileSystem;
  /** Undefined: 256 MiB or 2 % of the pool, whichever is more. */
  readonly reserveBytes: number | undefined;
}

/** A manifest's engine:dataset is split at its first colon. */
const engineName: Decoder<string> = (value, at) => {
  const given = name(value, at);
  if (given.includes(":")) throw new DecodeError(at, "contains a colon, which ends an engine's name in engine:dataset");
  return given;
};

const emptyRepository = "Empty vFile Repository";

const bytes: Decoder<number> = (value, at) => {
  const found = typeof value === "number" ? number(value, at) : parseBytes(string(value, at), at);
  if (found <= 0) throw new DecodeError(at, "must be greater than 0");
  if (!Number.isSafeInteger(found)) throw new DecodeError(at, "must be a whole number of bytes");
  return found;
};
const seconds: Decoder<number> = (value, at) =>
  typeof value === "number" ? number(value, at) : parseSeconds(string(value, at), at);
const count: Decoder<number> = (value, at) => {
  if (!Number.isInteger(value) || Number(value) < 1) throw new DecodeError(at, "must be a whole number of at least 1");
  return number(value, at);
};
const fileSystem = oneOf(wantedFileSystems);

const decodeLinked = exactObject(
  { name, host, user },
  { group: name, port, database, ...secrets, sslmode, sync, interval: seconds, keep: count },
);
const decodeEmpty = exactObject({ name, empty: emptySource }, { group: name });
const decodeDSource: Decoder<Decoded<typeof decodeLinked> | Decoded<typeof decodeEmpty>> = (value, at) =>
  asksForNothing(value, at) ? decodeEmpty(value, at) : decodeLinked(value, at);
const decodeFile = exactObject(
  {},
  {
    name: engineName,
    groups: list(name),
    environments: list(exactObject({ name }, { repository: name })),
    dsources: list(decodeDSource),
    pool: exactObject({}, { size: bytes, reserve: bytes, fileSystem }),
  },
);

/** A base backup reads all of production: more often than this is a mistake in the unit. */
export const shortestIntervalSeconds = 60;

/** An empty text is the default configuration. Throws with the path of what is wrong. */
export function decodeSettings(yaml: string, shortestSeconds = shortestIntervalSeconds): Settings {
  const file = decodeFile(parse(yaml) ?? {}, "configuration");
  const groups = file.groups ?? ["Untitled"];
  const environments = file.environments ?? [{ name: "dev-env" }];
  const [firstGroup] = groups;
  if (firstGroup === undefined) throw new Error("configuration.groups: must contain at least one group");
  const dsources = (file.dsources ?? []).map((given, i) => {
    if ("empty" in given) return { group: firstGroup, ...given };
    return withDefaults(given, `configuration.dsources[${i}]`, firstGroup, shortestSeconds);
  });
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
    throw new Error(
      `configuration.dsources: ${stray.name} is in group ${stray.group}, which configuration.groups does not contain`,
    );
  return {
    name: file.name ?? "delphix-engine",
    groups,
    environments: environments.map((one) => ({ repository: emptyRepository, ...one })),
    dsources,
    poolSizeBytes: file.pool?.size,
    poolFileSystem: file.pool?.fileSystem ?? "auto",
    reserveBytes: file.pool?.reserve,
  };
}

function withDefaults(
  { interval, ...given }: Decoded<typeof decodeLinked>,
  at: string,
  firstGroup: string,
  shortestSeconds: number,
): LinkedSettings {
  requireAuthority(at, given);
  if (interval !== undefined && interval < shortestSeconds)
    throw new DecodeError(`${at}.interval`, `must be at least ${shortestSeconds}s: each snapshot reads all of the source`);
  return {
    group: firstGroup,
    port: 5432,
    sslmode: "prefer",
    keep: 3,
    ...given,
    ...(interval === undefined ? {} : { intervalSeconds: interval }),
  };
}

function refuseDuplicates(where: string, names: readonly string[]): void {
  const twice = names.find((one, i) => names.indexOf(one) !== i);
  if (twice !== undefined) throw new Error(`configuration.${where}: ${twice} appears twice`);
}
