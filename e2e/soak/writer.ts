import { join } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "@vdb/cluster";
import { judgeCount, type Ledger, newLedger } from "./ledger.ts";
import { startLineProcess } from "./line-process.ts";

export type Endpoint = { readonly address: string; readonly port: number; readonly password: string };
/** When a session began and when its first row was acknowledged; both by performance.now(). */
export type Session = { readonly beganMs: number; readonly firstRowMs: number };
export type Writer = {
  readonly ledger: Ledger;
  readonly sessions: readonly Session[];
  /** What was wrong with the rows when a session began. */
  readonly faults: readonly string[];
  /** The end of the last session that could not be had, or broke off. */
  readonly lastTrouble: string;
};

const enter = join(import.meta.dirname, "../../cluster/enter");
/** A client that has waited so long for an answer takes its connection for dead, and so does its kernel. */
const patienceMs = 5000;
const pauseMs = 20;
const keepAlive = "keepalives_idle=1 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=3000";

/** psql in the cluster's network, through the Service's address, as a client that is a pod. */
function psql({ address, port, password }: Endpoint): { readonly args: readonly string[]; readonly env: Record<string, string> } {
  const connection = `host=${address} port=${port} user=postgres dbname=postgres connect_timeout=2 ${keepAlive}`;
  return { args: ["psql", connection, "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"], env: { PGPASSWORD: password } };
}

/** One statement in a session of its own. Returns its rows by lines. */
export async function answerOf(endpoint: Endpoint, sql: string): Promise<string> {
  const { args, env } = psql(endpoint);
  return await run(enter, args, { env, input: `${sql};\n` });
}

/** The table of numbered rows. Without a key: a row that came twice shall be seen. */
export const table = "CREATE TABLE IF NOT EXISTS soak_rows (n bigint NOT NULL, body text NOT NULL)";

/** Writes numbered rows through the Service until it is stopped, one after the other; a session that breaks off is followed by a new one. */
export function startWriter(endpoint: Endpoint, stop: AbortSignal): { readonly writer: Writer; readonly done: Promise<void> } {
  const writer = { ledger: newLedger(), sessions: [] as Session[], faults: [] as string[], lastTrouble: "" };
  const oneSession = async (): Promise<void> => await writeInOneSession(endpoint, writer, stop);
  return { writer, done: sessionAfterSession(writer, oneSession, { stop, restMs: 200 }) };
}

/** One session after the other until it is stopped; what ends one early is the client's last trouble. */
export async function sessionAfterSession(
  client: { lastTrouble: string },
  oneSession: () => Promise<void>,
  { stop, restMs }: { readonly stop: AbortSignal; readonly restMs: number },
): Promise<void> {
  while (!stop.aborted) {
    try {
      await oneSession();
    } catch (error) {
      client.lastTrouble = error instanceof Error ? error.message : String(error);
    }
    if (!stop.aborted) await sleep(restMs);
  }
}

type Writing = { readonly ledger: Ledger; readonly sessions: Session[]; readonly faults: string[] };

async function writeInOneSession(endpoint: Endpoint, { ledger, sessions, faults }: Writing, stop: AbortSignal): Promise<void> {
  const beganMs = performance.now();
  await using session = openSession(endpoint);
  const [rows = Number.NaN, distinct = Number.NaN] = (await session.ask("SELECT count(*), count(DISTINCT n) FROM soak_rows;"))
    .split("|")
    .map(Number);
  faults.push(...judgeCount(ledger, rows, distinct));
  let isFirst = true;
  while (!stop.aborted) {
    ledger.sent += 1;
    const number = ledger.sent;
    const told = await session.ask(`INSERT INTO soak_rows VALUES (${number}, md5('${number}')) RETURNING n;`);
    if (told !== String(number)) throw new Error(`row ${number} was answered by ${told}`);
    ledger.acknowledged.add(number);
    if (isFirst) sessions.push({ beganMs, firstRowMs: performance.now() });
    isFirst = false;
    await sleep(pauseMs);
  }
}

/** A session in which each statement is answered by one line, in good time, or the session is over. */
export function openSession(endpoint: Endpoint): AsyncDisposable & { readonly ask: (sql: string) => Promise<string> } {
  let answer = Promise.withResolvers<string>();
  const { args, env } = psql(endpoint);
  const client = startLineProcess(enter, args, (line) => answer.resolve(line), env);
  const broken = client.ended.then((said) => Promise.reject(new Error(said || "psql ended")));
  broken.catch(() => undefined); // nobody may be asking just then
  const ask = async (sql: string): Promise<string> => {
    answer = Promise.withResolvers();
    const { reject } = answer;
    const silence = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
    client.write(sql);
    try {
      return await Promise.race([answer.promise, broken]);
    } finally {
      clearTimeout(silence);
    }
  };
  return { ask, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}
