/** A database of mode Standby: prepared as a primary behind the shut gate, then read-only, whatever changes and whoever dies. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresVDB } from "@vdb/api";
import { type Client, configMaps, findCondition, type Pod, pods, secrets, services } from "kube-runtime";
import { modeOf } from "../src/vdb/decide/decide-mode.ts";
import { selects } from "../src/vdb/testing.ts";
import { playCluster } from "./testing/fake-cluster.ts";
import { fakeDct } from "./testing/fake-dct.ts";
import { chosenDeaths, type Moment, mortal } from "./testing/mortal.ts";
import {
  type Answer,
  applyVdb,
  type Bench,
  forever,
  healthy,
  isReady,
  makePassword,
  newNamespace,
  startBench,
  startOperator,
  untilVdb,
  vdbs,
} from "./testing/operator.ts";
import { until } from "./testing/until.ts";

const namespace = "standby";
const key = { namespace, name: "orders" };
const hooks = [{ name: "mask", stage: "post-create", script: "SELECT mask()" }];

/** What its server would say: it keeps the password that a writable one was given, whatever pod runs it. */
interface Server {
  readonly hooksIn: string[];
  password: string;
  readonly answer: Answer;
}

function playServer(client: Client): Server {
  const server: Server = {
    hooksIn: [],
    password: "",
    answer: async ({ pod: name, command, stdin = "" }) => {
      const pod = await client.get(pods, { namespace, name }, forever);
      const mode = modeOf(pod.metadata);
      if (command[3] === "hook") {
        server.hooksIn.push(mode);
        return mode === "Standby" ? { stdout: "exit 3\nread-only transaction" } : { stdout: "exit 0\nmasked" };
      }
      const [, given = server.password] = /\\set verifier '(.*)'/u.exec(stdin) ?? [];
      if (mode !== "Standby") server.password = given;
      return healthy({ isStandby: mode === "Standby", needsWriting: mode === "Standby" && given !== server.password });
    },
  };
  return server;
}

/** The pods to which the Service leads. */
async function ledTo(client: Client): Promise<readonly Pod[]> {
  const service = await client.find(services, key, forever);
  return (await client.list(pods, { namespace }, forever)).items.filter(({ metadata: { labels } }) =>
    selects(service?.spec.selector, labels),
  );
}

/** Looks all the time where clients are led; as long as the manifest says Standby that must be a Standby. */
function watchGate(client: Client): AsyncDisposable & { readonly wrong: string[] } {
  const end = new AbortController();
  const wrong: string[] = [];
  const loop = (async () => {
    while (!end.signal.aborted) {
      for (const { metadata } of await ledTo(client))
        if (modeOf(metadata) !== "Standby") wrong.push(`${metadata.name}: ${modeOf(metadata)}`);
      await sleep(5);
    }
  })();
  return {
    wrong,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await loop;
    },
  };
}

const isUp =
  (mode: string) =>
  (vdb: PostgresVDB): boolean =>
    isReady(vdb) &&
    vdb.status.observedGeneration === vdb.metadata.generation &&
    (findCondition(vdb.status.conditions, "Ready")?.message ?? "").includes("read-only") === (mode === "Standby");

describe("a database of mode Standby", { timeout: 600_000 }, () => {
  const stack = new AsyncDisposableStack();
  const dct = fakeDct();
  let bench: Bench;
  let server: Server;
  before(async () => {
    bench = stack.use(await startBench());
    await newNamespace(bench.client, namespace);
    await makePassword(bench.client, namespace);
    stack.use(playCluster(bench.client, namespace));
    server = playServer(bench.client);
  });
  after(async () => await stack.disposeAsync());

  async function secretIs(password: string): Promise<void> {
    await bench.client.patch(secrets, { namespace, name: "password" }, { stringData: { password } }, forever);
  }

  /** Does something with the database under an operator that dies, and has the next one bring it to its end. */
  async function through(death: number, moment: Moment, act: () => Promise<unknown>, isOver: (vdb: PostgresVDB) => boolean) {
    const api = mortal(bench.api, death, moment);
    {
      await using first = startOperator(api, dct);
      first.answer = server.answer;
      await act();
      await until("it died or is done", async () => {
        const vdb = await bench.client.find(vdbs, key, forever);
        return api.written() >= death || (vdb !== undefined && isOver(vdb)) ? true : undefined;
      });
    }
    await using second = startOperator(bench.api, dct);
    second.answer = server.answer;
    await untilVdb(bench.client, namespace, key.name, isOver, 60);
    return api.written();
  }

  async function made(death: number, moment: Moment): Promise<number> {
    server.hooksIn.length = 0;
    await using gate = watchGate(bench.client);
    const create = async () => await applyVdb(bench.client, namespace, key.name, { mode: "Standby", hooks });
    const written = await through(death, moment, create, isUp("Standby"));
    deepEqual([gate.wrong, [...new Set(server.hooksIn)]], [[], ["Primary"]], `${moment} write ${death}`);
    deepEqual(
      (await ledTo(bench.client)).map(({ metadata }) => modeOf(metadata)),
      ["Standby"],
    );
    return written;
  }
  async function deleted(): Promise<void> {
    await using operator = startOperator(bench.api, dct);
    operator.answer = server.answer;
    await bench.client.delete(vdbs, key, forever);
    await until("it is gone", async () => ((await bench.client.find(vdbs, key, forever)) === undefined ? true : undefined));
  }

  test("is made: its hooks run where they can write, and clients are led to a read-only server alone", async () => {
    const all = await made(Infinity, "before");
    for (const { death, moment } of chosenDeaths(all, 2)) {
      await deleted();
      await made(death, moment);
    }
    const { data = {} } = await bench.client.get(configMaps, { namespace, name: "orders-postgres-config" }, forever);
    match(data["pg_hba.conf"] ?? "", /^host/mu);
  });

  test("gets another password by a writable server behind the shut gate", async () => {
    let count = 0;
    const changed = async (death: number, moment: Moment): Promise<number> => {
      await using gate = watchGate(bench.client);
      count += 1;
      const earlier = server.password;
      await secretIs(`another-password-${count}`);
      const isOver = (vdb: PostgresVDB) => isUp("Standby")(vdb) && server.password !== earlier;
      const written = await through(death, moment, async () => undefined, isOver);
      deepEqual(gate.wrong, [], `${moment} write ${death}`);
      return written;
    };
    const all = await changed(Infinity, "before");
    ok(all > 3, "the gate shuts, a writable server starts, a read-only one, and the gate opens");
    for (const { death, moment } of chosenDeaths(all, 2)) await changed(death, moment);
  });

  async function turned(mode: "Primary" | "Standby", death: number, moment: Moment): Promise<number> {
    const act = async () => await bench.client.patch(vdbs, key, { spec: { mode } }, forever);
    const written = await through(death, moment, act, isUp(mode));
    deepEqual(
      (await ledTo(bench.client)).map(({ metadata }) => modeOf(metadata)),
      [mode],
    );
    return written;
  }

  test("turns into a Primary and back", async () => {
    const all = Math.max(await turned("Primary", Infinity, "before"), await turned("Standby", Infinity, "before"));
    for (const { death, moment } of chosenDeaths(all, 1))
      for (const mode of ["Primary", "Standby"] as const) await turned(mode, death, moment);
    equal(server.hooksIn.includes("Standby"), false);
  });
});
