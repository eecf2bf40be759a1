/**
 * Behind all other tests of a run: no Secret that they have made is anywhere but in Secrets. Their values begin with one mark, so that
 * also those are found whose Secret is gone; the engine's key and the like are looked for as they are. Full tier: half a minute.
 */
import { deepEqual, ok } from "node:assert/strict";
import { before, describe, test } from "node:test";
import { entries, inNode, operatorNamespace, secretMark, testCluster, text, tryRun } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { operatorPods } from "./pods.ts";

const kubectl = await testCluster();

describe("secrets stay where they are", { timeout: 300_000, skip: !isFullTier }, () => {
  let needles: readonly string[] = [];
  /** Where one of them is; without the value itself, which must not be printed here either. */
  const found = (where: string, haystack: string): readonly string[] =>
    needles.flatMap((needle, at) =>
      haystack.includes(needle) ? [`${where}: ${at < 2 ? "a value of a test" : `value ${at}`}`] : [],
    );

  before(async () => {
    const credentials = entries(await kubectl.get("secret", "delphix-creds", operatorNamespace), "data");
    const keys = credentials
      .filter(([name]) => name === "DCT_KEY")
      .map(([, value]) => Buffer.from(value, "base64").toString().trim());
    needles = [secretMark, Buffer.from(secretMark).toString("base64"), ...keys];
    ok(keys[0] !== undefined && keys[0].length > 20, "the engine has a key");
  });

  test("the mark is in the Secrets, so that its absence elsewhere says something", async () => {
    const secrets = await kubectl.run(["get", "secrets", "-A", "-o", "json"]);
    ok(secrets.includes(Buffer.from(secretMark).toString("base64")));
  });

  test("in no object of any other kind: status, events, pods, ConfigMaps, annotations", async () => {
    const kinds = (await kubectl.run(["api-resources", "--verbs=list", "-o", "name"]))
      .split("\n")
      .filter((kind) => kind !== "secrets");
    ok(kinds.includes("postgresvdbs.core.delphix.com") && kinds.includes("events.events.k8s.io"), kinds.join());
    const places: string[] = [];
    for (const kind of kinds) {
      const { exitCode, stdout } = await kubectl.try(["get", kind, "-A", "-o", "json"]);
      if (exitCode === 0) places.push(...found(kind, stdout)); // some kinds, such as bindings, cannot be read
    }
    deepEqual(places, []);
  });

  test("in no log of a pod on the node, whatever container wrote it", async () => {
    const logs = await inNode(["find", "/var/log/pods", "-name", "*.log"]);
    ok(logs.includes("delphix-operator") && logs.includes("delphix-engine"), logs);
    const places: string[] = [];
    for (const needle of needles) {
      const files = await inNode(["sh", "-c", 'grep -rlF -e "$0" /var/log/pods || true', needle]);
      places.push(...files.split("\n").filter((file) => file !== ""));
    }
    deepEqual(places, []);
  });

  test("in no argument of a process", async () => {
    const { stdout } = await tryRun("ps", ["-eww", "-o", "args"]);
    ok(stdout.includes("kube-apiserver"));
    deepEqual(
      stdout.split("\n").filter((line) => needles.some((needle) => line.includes(needle)) && !line.includes("grep")),
      [],
    );
  });

  test("in no metric of the operator; the engine's are for holders of its key alone", async () => {
    for (const pod of await kubectl.list("pods", ["-n", operatorPods.namespace, "-l", operatorPods.label])) {
      const name = text(pod, "metadata", "name");
      const metrics = await kubectl.run([
        "get",
        "--raw",
        `/api/v1/namespaces/${operatorPods.namespace}/pods/${name}:8080/proxy/metrics`,
      ]);
      ok(metrics.includes("delphix_vdb_phase"), metrics.slice(0, 200));
      deepEqual(found(name, metrics), []);
    }
  });
});
