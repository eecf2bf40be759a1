import type { VdbHygiene } from "@vdb/api";
import type { DatabaseTold, UnseenDatabase } from "../../postgres/databases-told.ts";
import { cleaningOf } from "../decide/cleaning.ts";
import { told as named } from "./hygiene.ts";

type Databases = readonly DatabaseTold[];

/** Pure: what does not act in the copy, or still does because the manifest says so. */
export function switchedOff(databases: Databases, hygiene: VdbHygiene | undefined): readonly (string | undefined)[] {
  const { eventTriggers, cronJobs } = cleaningOf(hygiene);
  return [
    named(
      "subscriptions",
      all(databases, ({ subscriptions }) => idle(subscriptions).map(({ name, hosts }) => `${name}${of("publisher", hosts)}`)),
    ),
    named(
      "event triggers",
      all(databases, ({ eventTriggers: triggers }) => idle(triggers).map(({ name }) => name)),
    ),
    named(
      "jobs of pg_cron",
      all(databases, ({ jobs }) => idle(jobs).map(({ name }) => name)),
    ),
    eventTriggers
      ? undefined
      : named(
          "not event triggers (spec.hygiene keeps them)",
          all(databases, ({ eventTriggers: triggers }) => acting(triggers).map(({ name }) => name)),
        ),
    cronJobs
      ? undefined
      : named(
          "not jobs of pg_cron (spec.hygiene keeps them)",
          all(databases, ({ jobs, jobsRun }) => (jobsRun ? acting(jobs).map(({ name }) => name) : [])),
        ),
  ];
}

/** Pure: what the operator leaves as it is, and a person has to look at. Of a connection the host alone is told. */
export function databasesNotes(databases: Databases, unseen: readonly UnseenDatabase[]): readonly (string | undefined)[] {
  return [
    withAdvice(
      named(
        "foreign servers lead to hosts outside",
        all(databases, ({ servers }) =>
          servers
            .map(({ hosts, ...server }) => ({ ...server, hosts: outside(hosts) }))
            .filter(({ hosts }) => hosts.length > 0)
            .map(({ name, hosts, mappings }) => `${name}${of("host", hosts)}${mappedFor(mappings)}`),
        ),
      ),
      "drop them with their user mappings, or block the way there in the network",
    ),
    withAdvice(
      named(
        "functions and views call dblink",
        all(databases, ({ dblink }) =>
          dblink
            .filter(({ hosts }) => hosts.length === 0 || outside(hosts).length > 0)
            .map(({ name, hosts }) => `${name}${hosts.length === 0 ? " (it spells out no host)" : of("host", outside(hosts))}`),
        ),
      ),
      "change or drop them, or block the way there in the network",
    ),
    withAdvice(
      named(
        "the image sorts text by another version of a collation than the source, so that indexes may be wrong",
        databases.flatMap((told) => collationsOf(told)),
      ),
      "run REINDEX DATABASE in each, then ALTER DATABASE … REFRESH COLLATION VERSION, or ALTER COLLATION … REFRESH VERSION for a named one",
    ),
    named(
      "no session can be opened in these databases, so the operator has not looked into them",
      unseen.map(({ database, message }) => `${database} (${message.slice(0, 200)})`),
    ),
  ];
}

function collationsOf({ database, databaseCollation, collations }: DatabaseTold): readonly string[] {
  const versions = [...databaseCollation.map((one) => ({ ...one, name: "its own" })), ...collations];
  if (versions.length === 0) return [];
  const shown = versions.slice(0, 5).map(({ name, was, is }) => `${name} ${was}, here ${is}`);
  const more = versions.length > 5 ? ` and ${versions.length - 5} more` : "";
  return [`database ${database} (${shown.join("; ")}${more})`];
}

const withAdvice = (note: string | undefined, advice: string): string | undefined =>
  note === undefined ? undefined : `${note}: ${advice}`;

/** Each with its database: the same name may be in several. */
const all = (databases: Databases, namesIn: (told: DatabaseTold) => readonly string[]): readonly string[] =>
  databases.flatMap((told) => namesIn(told).map((name) => `${name} in database ${told.database}`));

const idle = <T extends { readonly acts: boolean }>(actors: readonly T[]): readonly T[] => actors.filter(({ acts }) => !acts);
const acting = <T extends { readonly acts: boolean }>(actors: readonly T[]): readonly T[] => actors.filter(({ acts }) => acts);

const of = (what: string, hosts: readonly string[]): string =>
  hosts.length === 0 ? "" : ` (${what} ${hosts.slice(0, 5).join(", ")}${hosts.length > 5 ? ", …" : ""})`;

const mappedFor = (roles: readonly string[]): string =>
  roles.length === 0 ? "" : ` mapped for ${roles.slice(0, 5).join(", ")}${roles.length > 5 ? ", …" : ""}`;

/** Pure: the hosts that are not this server's own: a socket and the loopback lead back into the copy. */
export const outside = (hosts: readonly string[]): readonly string[] =>
  hosts.flatMap((host) => host.split(",")).filter((host) => host !== "" && !isOwn.test(host));

const isOwn = /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?|\/.*)$/iu;
