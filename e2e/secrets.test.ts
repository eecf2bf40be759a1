/**
 * Behind all other tests of a run: no Secret that they have made is anywhere but in Secrets. Their values begin with one mark, so that
 * also those are found whose Secret is gone; the engine's key and the like are looked for as they are. Full tier: half a minute.
 * In every tier: the images hold none either.
 */
import { deepEqual, ok } from "node:assert/strict";
import { globSync, readFileSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { before, describe, test } from "node:test";
import {
  builtImages,
  credentialsOf,
  entries,
  inNode,
  items,
  layerContent,
  leaksIn,
  operatorNamespace,
  parseJson,
  secretMark,
  testCluster,
  text,
  tryRun,
} from "@vdb/cluster";
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

/** Layers are made before tests have secrets. What may get into one is the building machine's: its keys, tokens, accounts, names. */
describe("images hold nothing of whoever has built them", { timeout: 300_000 }, () => {
  const clone = join(import.meta.dirname, "..");
  const folders = Object.keys(builtImages()).map((name) => join(clone, ".local/images", name));
  const machine = [clone, secretMark, ...credentialsOf(process.env), ...(hostname().length > 7 ? [hostname()] : [])];

  test("no layer of an image has a key, a token, a password, or a string of the building machine", async () => {
    const layers = new Set(folders.flatMap((folder) => globSync(join(folder, "*.tar"))).map((file) => realpathSync(file)));
    ok(layers.size > 10, `${layers.size} layers`);
    const places: string[] = [];
    for (const layer of layers) {
      const content = await layerContent(layer);
      ok(content.names.length > 0 && content.bytes.length > 1024, layer);
      places.push(...leaksIn(content, machine).map((leak) => `${layer}: ${leak}`));
    }
    deepEqual(places, []);
  });

  test("an image's environment has the few variables that its programs read", () => {
    const names = folders
      .flatMap((folder) => globSync(join(folder, "*.json")))
      .flatMap((file) => variablesOf(readFileSync(file, "utf8")));
    deepEqual([...new Set(names)].toSorted(), ["LANG", "NODE_ENV", "PATH", "PGDATA", "PG_MAJOR", "PG_VERSION"]);
  });
});

function variablesOf(json: string): readonly string[] {
  return items(parseJson(json), "config", "Env").map((one) => (typeof one === "string" ? one : "").replace(/=.*/u, ""));
}
