/**
 * One replica of a small operator, as a process of its own: `node replica.ts <settings as JSON>`.
 *
 * For each Widget it does one effect outside of Kubernetes: a line in a ledger. It records its intent first, looks for the
 * effect before it does it, and asks whether it may act right before it does: the pattern that every operator follows.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { hrtime } from "node:process";
import { tokenConnection } from "../../src/connection/token-connection.ts";
import { type ControlledKind, createLog, createManager, done, httpApi, type Run } from "../../src/index.ts";
import { type Widget, widgets } from "../../src/testing/widget.ts";
import { parseJson } from "./parse-json.ts";

export interface ReplicaSettings {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly identity: string;
  /** Of its lease and its Widgets. */
  readonly namespace: string;
  readonly ledger: string;
}

/** A line of the ledger; the time is CLOCK_MONOTONIC, the same for all processes of a machine. */
export interface LedgerLine {
  readonly widget: string;
  readonly identity: string;
  readonly atMs: number;
}

const settings = parseJson<ReplicaSettings>(process.argv[2] ?? "{}");
const api = httpApi(tokenConnection({ server: new URL(settings.server), token: settings.token, ca: settings.ca }));
const log = createLog({ level: "info" });
const manager = createManager({
  name: "replica",
  api,
  log,
  leaderElection: { namespace: settings.namespace, name: "replicas", identity: settings.identity },
});

const hasEffect = (name: string): boolean => readFileSync(settings.ledger, "utf8").includes(`"widget":"${name}"`);

const kind: ControlledKind<Widget, Run<Widget>> = {
  name: "widget",
  resource: widgets,
  conditions: [{ type: "Entered", reason: "Entered", message: "the line is in the ledger" }],
  observe: async (run) => run,
  steps: [
    {
      name: "enter",
      condition: "Entered",
      run: async (run, signal) => {
        const { name } = run.object.metadata;
        run.status.intent = name;
        await run.saveStatus(signal);
        if (!hasEffect(name)) {
          const atMs = Number(hrtime.bigint()) / 1e6;
          manager.assertLeading(`the effect of ${name}`);
          appendFileSync(
            settings.ledger,
            `${JSON.stringify({ widget: name, identity: settings.identity, atMs } satisfies LedgerLine)}\n`,
          );
        }
        return done();
      },
    },
  ],
};
manager.control(kind, { cache: manager.cacheFor(widgets, { namespace: settings.namespace }), concurrency: 4 });

const stop = new AbortController();
process.on("SIGTERM", () => stop.abort(new Error("SIGTERM")));
try {
  await manager.run(stop.signal);
} catch {
  process.exitCode = 1; // said in the log; another replica acts now
}
await api.close();
