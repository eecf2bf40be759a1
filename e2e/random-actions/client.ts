import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, openSession, sessionAfterSession } from "../soak/writer.ts";
import { acknowledged, mismatch, type State, seen, sent } from "./history.ts";

/** The append-only table. Without a key: a row that came twice shall be seen. */
export const table = "CREATE TABLE IF NOT EXISTS history (n bigint NOT NULL)";

/** Writes numbers through the Service, one after the other, and looks at the whole table when a session begins. */
export type Client = {
  /** Every history that the database has been at, by name, as it was left. */
  readonly histories: ReadonlyMap<string, State>;
  /** Those that the database may be at: more than one only while the rows cannot tell them apart. */
  at: ReadonlySet<string>;
  /** Those that an action under way may bring it to, for the next session to find. */
  readonly offered: Map<string, State>;
  readonly everAcknowledged: ReadonlySet<number>;
  readonly faults: readonly string[];
  readonly lastTrouble: string;
};

/** The same, as the client itself writes it. */
type Working = Client & {
  readonly histories: Map<string, State>;
  readonly everAcknowledged: Set<number>;
  readonly faults: string[];
  lastTrouble: string;
  /** The last number that was sent. */
  last: number;
};

/** Begins with the history `first`, an empty table. */
export function startClient(
  endpoint: Endpoint,
  first: readonly [string, State],
  stop: AbortSignal,
): { readonly client: Client; readonly done: Promise<void> } {
  const client: Working = {
    histories: new Map([first]),
    at: new Set([first[0]]),
    offered: new Map(),
    everAcknowledged: new Set(),
    faults: [],
    last: 0,
    lastTrouble: "",
  };
  const session = async (): Promise<void> => await oneSession(endpoint, client, stop);
  return { client, done: sessionAfterSession(client, session, { stop, restMs: 100 }) };
}

async function oneSession(endpoint: Endpoint, client: Working, stop: AbortSignal): Promise<void> {
  await using session = openSession(endpoint);
  const told = await session.ask("SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), '') FROM history;");
  look(client, told === "" ? [] : told.split(" ").map(Number));
  while (!stop.aborted) {
    client.last += 1;
    const number = client.last;
    update(client, (state) => sent(state, number));
    const answer = await session.ask(`INSERT INTO history VALUES (${number}) RETURNING n;`);
    if (answer !== String(number)) throw new Error(`row ${number} was answered by ${answer}`);
    client.everAcknowledged.add(number);
    update(client, (state) => acknowledged(state, number));
    await sleep(20);
  }
}

/** A session sees one history whole. Those that it cannot be are left as they were. */
function look(client: Working, found: readonly number[]): void {
  const candidates = new Map([
    ...[...client.at].flatMap((name) => {
      const state = client.histories.get(name);
      return state === undefined ? [] : [[name, state] as const];
    }),
    ...client.offered,
  ]);
  const judged = [...candidates].map(([name, state]) => ({ name, wrong: mismatch(state, found, client.everAcknowledged) }));
  const fitting = judged.filter(({ wrong }) => wrong === undefined);
  if (fitting.length === 0) client.faults.push(judged.map(({ name, wrong }) => `not ${name}: ${wrong}`).join(" | "));
  for (const { name } of fitting) {
    client.histories.set(name, seen(found, client.last));
    client.offered.delete(name);
  }
  if (fitting.length > 0) client.at = new Set(fitting.map(({ name }) => name));
}

function update(client: Working, change: (state: State) => State): void {
  for (const name of client.at) {
    const state = client.histories.get(name);
    if (state !== undefined) client.histories.set(name, change(state));
  }
}
