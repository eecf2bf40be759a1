import { deepEqual, equal, match, throws } from "node:assert/strict";
import { describe, test } from "node:test";
import type { Condition, Deployment, Pod, Secret } from "kube-runtime";
import { readConfig } from "../config.ts";
import { backOffSeconds, livePods } from "./context.ts";
import { decideDeployment, undisproved } from "./decide/decide-deployment.ts";
import { passwordIn } from "./password.ts";
import { stopPlan } from "./steps/stop.ts";
import { aVdb } from "./testing.ts";

const aSecret = (data: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s", uid: "u", resourceVersion: "1", creationTimestamp: "" },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")])),
});

const reasonOf = (given: Secret | undefined): string => {
  const password = passwordIn(given, "s", "n");
  return password.kind === "missing" ? password.reason : password.value;
};

const deployed = (changes: Partial<Condition> = {}): Condition => ({
  type: "Deployed",
  status: "False",
  reason: "NotADatabase",
  message: "empty",
  lastTransitionTime: "2026-01-01T00:00:00Z",
  observedGeneration: 3,
  ...changes,
});

describe("small decisions", () => {
  test("a pod may hold the volume until it is gone; one that was evicted stays as an object, and holds nothing", () => {
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    const rows = [
      { name: "runs", phase: "Running", deleted: {} },
      { name: "ends", phase: "Running", deleted: { deletionTimestamp } },
      { name: "ended", phase: "Succeeded", deleted: { deletionTimestamp } },
      { name: "evicted", phase: "Failed", deleted: {} },
    ] as const;
    const pods = rows.map(
      ({ name, phase, deleted }): Pod => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "", ...deleted },
        spec: { containers: [] },
        status: { phase },
      }),
    );
    deepEqual(livePods({ pods }), ["ended", "ends", "runs"]);
  });

  test("the first look after a failure comes after a second, later ones as late as it has lasted, at most the period", () => {
    const rows: [number, string, number][] = [
      [0, "30s", 1],
      [4000, "30s", 4],
      [900_000, "30s", 30],
      [900_000, "5m", 300],
      [0, "500ms", 0.5],
    ];
    for (const [sinceMs, period, want] of rows) equal(backOffSeconds(sinceMs / 1000, period), want);
  });

  test("a Secret gives its password, or the reason that names what is there", () => {
    const given = [
      undefined,
      aSecret({}),
      ...["short", "1234567\n", "long-enough", "long-enough\n"].map((password) => aSecret({ password })),
    ];
    deepEqual(given.map(reasonOf), [
      "SecretNotFound",
      "SecretKeyMissing",
      "PasswordTooShort",
      "PasswordTooShort",
      "long-enough",
      "long-enough",
    ]);
    const ended = passwordIn(aSecret({ password: "long-enough\r\n" }), "s", "n");
    match(ended.kind === "known" ? (ended.note ?? "") : "", /line end after the password/u);
    const misspelled = passwordIn(aSecret({ pasword: "x" }), "s", "n");
    match(misspelled.kind === "missing" ? misspelled.message : "", /its keys: pasword/u);
  });

  test("what is true of the data stays so while a database is stopped; what was never reached is not promised", () => {
    const conditions = [
      ...["Accepted", "Provisioned", "Deployed"].map((type) => deployed({ type, status: "True", reason: type })),
      deployed({ type: "HooksSucceeded", reason: "HookFailed" }),
    ];
    deepEqual(stopPlan({ vdb: aVdb({ status: { conditions } }) }).keep, ["Accepted", "Provisioned"]);
  });

  test("a failure stays until a start has disproved it, or a person has changed the manifest", () => {
    const rows: [string, number | undefined, Condition | undefined, boolean][] = [
      ["between two containers", undefined, deployed(), true],
      ["the start script is at work", 7000, deployed(), true],
      ["it has run for longer than the script takes", 4000, deployed(), false],
      ["the manifest was changed", undefined, deployed({ observedGeneration: 2 }), false],
      ["it was starting before", undefined, deployed({ reason: "Starting" }), false],
      ["what an event tells comes and goes with it", undefined, deployed({ reason: "ImagePullFailed" }), false],
      ["it was running before", undefined, deployed({ status: "True", reason: "Deployed" }), false],
      ["nothing is known", undefined, undefined, false],
    ];
    for (const [why, runningSince, condition, stays] of rows) {
      const plan = runningSince === undefined ? {} : { runningSince };
      equal(undisproved(plan, condition, 3, 10_000), stays ? condition : undefined, why);
    }
  });

  test("a pod that the cluster refuses is told in the cluster's words, without its name, which changes with each try", () => {
    const message = 'pods "orders-6c9f8d7b5-x2k4q" is forbidden: exceeded quota';
    const deployment: Deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d", uid: "u", resourceVersion: "1", generation: 2, creationTimestamp: "" },
      spec: { selector: {}, template: { spec: { containers: [] } } },
      status: { observedGeneration: 2, conditions: [{ type: "ReplicaFailure", status: "True", message }] },
    };
    deepEqual(decideDeployment(deployment, [], "c", 0), {
      kind: "refused",
      message: "the cluster refuses the pod: the pod is forbidden: exceeded quota; fix what this names",
    });
    const behind = { ...deployment, status: { ...deployment.status, observedGeneration: 1 } };
    equal(decideDeployment(behind, [], "c", 0).kind, "starting", "what the controller says of a former template counts no more");
  });
});

describe("the command line", () => {
  test("silence means the defaults, an empty flag as well", () => {
    const config = readConfig(["--watch-namespaces=", "--image=16=postgres:16.2"], { POD_NAMESPACE: "here", POD_NAME: "me" });
    deepEqual(
      [config.namespace, config.watchNamespaces, config.leaderElection, config.identity, config.defaults.images.get("16")],
      ["here", [], true, "me", "postgres:16.2"],
    );
  });

  test("the namespaces to serve are a list", () => {
    deepEqual(readConfig(["--watch-namespaces=sales,billing"], {}).watchNamespaces, ["sales", "billing"]);
  });

  test("what cannot be read is refused with the flag and what is allowed", () => {
    throws(() => readConfig(["--http-port=eighty"], {}), /--http-port=eighty: .*from 0 to 65535/u);
    throws(() => readConfig(["--leader-election=maybe"], {}), /true, false/u);
    throws(() => readConfig(["--image=postgres"], {}), /16=postgres:16\.2/u);
    throws(() => readConfig(["--no-such-flag"], {}), /no-such-flag/u);
  });
});
