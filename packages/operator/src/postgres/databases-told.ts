import { boolean, type Decoded, list, object, string } from "@vdb/dct";

const names = list(string);
/** Something that acts by itself, or would if it were not switched off. */
const actor = object({ name: string, acts: boolean }, {});
const collation = object({ name: string, was: string, is: string }, {});

const databaseTold = object(
  {
    database: string,
    jobs: list(actor),
    /** pg_cron is preloaded, so that active jobs run. */
    jobsRun: boolean,
    subscriptions: list(object({ name: string, acts: boolean, hosts: names }, {})),
    eventTriggers: list(actor),
    /** Foreign servers that name a host, and the roles that have user mappings there. */
    servers: list(object({ name: string, wrapper: string, hosts: names, mappings: names }, {})),
    /** Functions and views that call dblink, with the hosts that they spell out. */
    dblink: list(object({ name: string, hosts: names }, {})),
    /** What the database's own collation was when its indexes were built, if that is another one here. */
    databaseCollation: list(object({ was: string, is: string }, {})),
    /** The same of other collations that indexes use. */
    collations: list(collation),
  },
  {},
);
export type DatabaseTold = Decoded<typeof databaseTold>;

/** A database that takes no session, not even a superuser's. `isPassing`: it may by itself. */
export interface UnseenDatabase {
  readonly database: string;
  readonly message: string;
  readonly isPassing: boolean;
}

/** What there is to tell of the databases; those without anything are left out. */
export interface DatabasesTold {
  readonly told: readonly DatabaseTold[];
  readonly unseen: readonly UnseenDatabase[];
}

/** What ends by itself, though the server answers. */
export const passing: RegExp =
  /too many clients|connection slots|(?:starting up|shutting down|not yet accepting|in recovery mode)/u;

/** The server's refusal to open a session; anything else is a session that broke off. */
const refused = /^psql: (?:error: )?(?:connection to server .*? failed: )?FATAL: +(.*?)(?: +(?:DETAIL|HINT): .*)?$/u;

export function databasesTold(lines: readonly string[]): DatabasesTold {
  const after = (prefix: string): readonly string[] =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  return {
    told: after("inside: ").map((line) => databaseTold(JSON.parse(line), "what a database tells")),
    unseen: after("unseen: ").map(unseen),
  };
}

function unseen(line: string): UnseenDatabase {
  const [database = "", said = ""] = line.split("\t", 2);
  const [, message] = refused.exec(said) ?? [];
  return { database, message: (message ?? said).trim(), isPassing: message === undefined || passing.test(message) };
}
