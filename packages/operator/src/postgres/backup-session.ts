/** What of the two scripts around a snapshot runs in the backup session, and how PostgreSQL of that major version calls it. */
export interface SessionPlan {
  readonly label: string;
  readonly major: number;
  /** A checkpoint at once; false waits for a spread one. */
  readonly fast: boolean;
  /** SQL before and after; undefined: none. */
  readonly pre: string | undefined;
  readonly post: string | undefined;
  /** The folder of the run in the pod: signals are files in it. */
  readonly folder: string;
}

/** The file in a run's folder that says that the backup has begun, and the one that says that the snapshot is taken. */
export const signals = { begun: "backup-begun", cut: "snapshot-cut" } as const;

/**
 * Pure: the text of one psql session from the SQL before the snapshot to the SQL after it. It begins the backup, says so, waits
 * until the snapshot is taken, and ends the backup. Where the SQL itself begins or ends it, under the name of whatever version,
 * that call is the one. `replaced`: what was translated, for people.
 */
export function backupSession(plan: SessionPlan): { readonly script: string; readonly replaced: readonly string[] } {
  const { folder, pre = "", post = "" } = plan;
  const [before, after] = [
    translated(pre, startCall, (args) => startFor(plan, args)),
    translated(post, stopCall, () => stopFor(plan)),
  ];
  const script = [
    before.text,
    ";",
    ...(before.calls === 0 ? [`SELECT ${startFor(plan, "")};`] : []),
    `\\! : >'${folder}/${signals.begun}'`,
    `\\! until [ -e '${folder}/${signals.cut}' ]; do sleep 0.05; done`,
    "\\o",
    "\\pset format aligned",
    "\\pset expanded off",
    ...(after.calls === 0 ? [`SELECT ${stopFor(plan)};`] : []),
    after.text,
  ].join("\n");
  return { script, replaced: [...before.replaced, ...after.replaced] };
}

const startCall = /\b(pg_catalog\.)?(pg_start_backup|pg_backup_start)\s*\(/giu;
const stopCall = /\b(pg_catalog\.)?(pg_stop_backup|pg_backup_stop)\s*\(/giu;

interface Translated {
  readonly text: string;
  readonly calls: number;
  readonly replaced: readonly string[];
}

function translated(sql: string, call: RegExp, by: (args: string) => string): Translated {
  const replaced: string[] = [];
  let [text, from, calls] = ["", 0, 0];
  for (const match of sql.matchAll(call)) {
    const open = match.index + match[0].length;
    const close = closingOf(sql, open);
    if (close === -1 || match.index < from) continue;
    const [was, is] = [sql.slice(match.index, close + 1), by(sql.slice(open, close))];
    text += sql.slice(from, match.index) + is;
    from = close + 1;
    calls += 1;
    if (was !== is) replaced.push(`${was} by ${is}`);
  }
  return { text: text + sql.slice(from), calls, replaced };
}

/** Where the parenthesis is closed that stands open before `from`; quoted ones do not count. -1: nowhere. */
function closingOf(sql: string, from: number): number {
  let [depth, quoted] = [1, false];
  for (let at = from; at < sql.length; at += 1) {
    const letter = sql[at];
    if (letter === "'") quoted = !quoted;
    if (quoted) continue;
    if (letter === "(") depth += 1;
    if (letter === ")") depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** Until 14 always the non-exclusive way: the other one leaves a file in the data that hinders its start. */
function startFor({ label, major, fast }: SessionPlan, args: string): string {
  const [given = ""] = /^\s*(?:E?'(?:[^']|'')*')/iu.exec(args) ?? [];
  const name = given.trim() === "" ? `'${label.replaceAll("'", "''")}'` : given.trim();
  return major >= 15 ? `pg_backup_start(${name}, ${fast})` : `pg_start_backup(${name}, ${fast}, false)`;
}

const stopFor = ({ major }: SessionPlan): string => (major >= 15 ? "pg_backup_stop()" : "pg_stop_backup(false)");

export interface BackupPosition {
  readonly begin: string;
  readonly end: string;
  readonly timeline: number;
}

/** Pure: what the end of the backup printed of its position; undefined where it is not there. */
export function positionIn(output: string): BackupPosition | undefined {
  const [, end = "", begin = "", file = ""] =
    /\(([0-9A-F]+\/[0-9A-F]+),"START WAL LOCATION: ([0-9A-F]+\/[0-9A-F]+) \(file ([0-9A-F]{24})\)/u.exec(output) ?? [];
  return begin === "" ? undefined : { begin, end, timeline: Number.parseInt(file.slice(0, 8), 16) };
}
