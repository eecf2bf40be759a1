import { type PostgresVDB, postgresVDB, resourceOf } from "@vdb/api";
import { done, timestamp } from "kube-runtime";
import type { PlainVdbStep, VdbContext } from "../context.ts";
import { type Expiry, expiryOf } from "../decide/expiry.ts";
import { keyOfVdb } from "../names.ts";

/** No look is later, so that a clock that was set is noticed. */
const mostSeconds = 3600;
/** What the status says decides what the database does: it is looked at again at once. */
const atOnce = 0.01;

/**
 * Does what `spec.expiry` says, after it has said so: condition Expiring and an event go ahead. Stop is recorded, and the database
 * stops as a disabled one. Delete is the ordinary deletion, refused when anybody has edited the database since it was read. While
 * an action works on the database, both wait.
 */
export const heedExpiry: PlainVdbStep = {
  name: "heedExpiry",
  run: async (ctx, signal) => {
    const { run, vdb, world } = ctx;
    const due = expiryOf(vdb, { nowMs: run.clock.now(), noticeMs: world.config.expiryNoticeSeconds * 1000 });
    switch (due.kind) {
      case "never":
        delete run.status.expiry;
        return vdb.status.expiry?.stoppedTime === undefined ? done() : done({ recheckSeconds: atOnce });
      case "later":
        run.status.expiry = { time: timestamp(due.timeMs), action: actionOf(vdb) };
        return done({
          recheckSeconds: vdb.status.expiry?.stoppedTime === undefined ? Math.min(due.seconds, mostSeconds) : atOnce,
        });
      case "announced":
        return announce(ctx, due);
      case "due":
        return vdb.status.activeAction === undefined ? await expire(ctx, due, signal) : done();
      default:
        return due satisfies never;
    }
  },
};

const deeds = { Stop: "stops it; its data stays", Delete: "deletes it" } as const;
const actionOf = ({ spec }: PostgresVDB): keyof typeof deeds => spec.expiry?.action ?? "Stop";
const renewal = ({ metadata: { namespace, name } }: PostgresVDB): string =>
  `to keep it edit spec.expiry, or run: kubectl vdb extend ${name} 8h -n ${namespace}`;

function announce({ run, vdb }: VdbContext, due: Extract<Expiry, { kind: "announced" }>) {
  const [time, action, { announcedTime = "", stoppedTime }] = [timestamp(due.timeMs), actionOf(vdb), vdb.status.expiry ?? {}];
  const message = `it expires at ${time}: then, or within minutes where that has passed, the operator ${deeds[action]}; ${renewal(vdb)}`;
  run.status.expiry = {
    time,
    action,
    announcedTime: due.isKnown ? announcedTime : timestamp(run.clock.now()),
    ...(due.staysStopped && stoppedTime !== undefined ? { stoppedTime } : {}),
  };
  run.setCondition({ type: "Expiring", status: "True", reason: "Announced", message });
  if (!due.isKnown) run.event("Warning", "Announced", message);
  const isToStart = stoppedTime !== undefined && !due.staysStopped;
  return done({ recheckSeconds: isToStart ? atOnce : Math.min(due.seconds, mostSeconds) });
}

async function expire({ run, vdb }: VdbContext, { timeMs }: Extract<Expiry, { kind: "due" }>, signal: AbortSignal) {
  const time = timestamp(timeMs);
  if (actionOf(vdb) === "Delete") {
    run.event("Warning", "ExpiryDeleted", `it has expired at ${time}: the operator deletes it, as spec.expiry says`);
    const { uid, resourceVersion } = vdb.metadata;
    await run.client.delete(resourceOf(postgresVDB), keyOfVdb(vdb), signal, { preconditions: { uid, resourceVersion } });
    return done();
  }
  const { announcedTime, stoppedTime } = vdb.status.expiry ?? {};
  const message = `it has expired at ${time} and is stopped; its data stays; ${renewal(vdb)}`;
  run.setCondition({ type: "Expiring", status: "True", reason: "Expired", message });
  run.status.expiry = {
    time,
    action: "Stop",
    ...(announcedTime === undefined ? {} : { announcedTime }),
    stoppedTime: stoppedTime ?? timestamp(run.clock.now()),
  };
  if (stoppedTime !== undefined) return done();
  run.event("Warning", "Expired", message);
  return done({ recheckSeconds: atOnce });
}
