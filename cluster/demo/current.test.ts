/** What the demo does to a cluster of a user's, on one that is a few lists. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../stack/json.ts";
import type { Kubectl } from "../stack/kubectl.ts";
import { madeLabel } from "../stack/production.ts";
import { askToInstall, removeDemo } from "./current.ts";

type World = {
  /** Name → whether the demo made it. */ readonly namespaces: Readonly<Record<string, boolean>>;
  /** `namespace/name` of each release of our charts. */ readonly releases: readonly string[];
  readonly vdbs: readonly string[];
  /** `namespace/name` of each action and VolumeSnapshot: what stands of them when a release goes is stuck for good. */
  readonly work: readonly string[];
};
const demo: World = {
  namespaces: { default: false, "pg-operator": true, "delphix-storage": true, production: true },
  releases: ["pg-operator/delphix-operator", "delphix-storage/delphix-storage"],
  vdbs: ["pg-operator/my-postgres-vdb", "default/mine"],
  work: ["pg-operator/my-vdb-refresh", "pg-operator/my-vdb-snapshot", "default/kept"],
};
const definitions = ["vdbrefreshes.actions.delphix.com", "volumesnapshots.snapshot.storage.k8s.io"];

/** A cluster that knows the few calls the demo makes; `left` says what is in it, `changes` counts what changed it. */
function clusterOf(world: World): { kubectl: Kubectl; left: World; changes: () => number } {
  const left = {
    namespaces: { ...world.namespaces },
    releases: [...world.releases],
    vdbs: [...world.vdbs],
    work: [...world.work],
  };
  let changes = 0;
  const drop = (list: string[], entry: string): void => {
    changes += 1;
    list.splice(list.indexOf(entry), list.includes(entry) ? 1 : 0);
  };
  const kubectl: Kubectl = {
    kubeconfig: "",
    bound: { args: [], env: {} },
    apply: () => Promise.reject(new Error("the demo applies nothing before it is agreed to")),
    try: () => Promise.reject(new Error("not asked for")),
    get: (kind, name): Promise<Json | undefined> => {
      if (kind === "crd") return Promise.resolve({ metadata: { name } });
      const made = left.namespaces[name];
      return Promise.resolve(
        made === undefined ? undefined : { metadata: { name, labels: made ? { [madeLabel]: "true" } : {} } },
      );
    },
    list: (kind) =>
      Promise.resolve(
        kind === "crd"
          ? [...definitions, "widgets.example.com"].map((name) => ({ metadata: { name } }))
          : left.vdbs.map((vdb) => ({ metadata: { namespace: vdb.split("/")[0] ?? "", name: vdb.split("/")[1] ?? "" } })),
      ),
    run: ([verb, kind, name = "", , namespace]) => {
      equal(verb, "delete");
      if (name === "--all") {
        equal(kind, definitions.join(","));
        changes += 1;
        left.work = left.work.filter((one) => !one.startsWith(`${namespace}/`));
      } else if (kind === "postgresvdb") drop(left.vdbs, `${namespace}/${name}`);
      else {
        changes += 1;
        delete left.namespaces[name];
        left.releases = left.releases.filter((release) => !release.startsWith(`${name}/`));
      }
      return Promise.resolve("");
    },
    helm: ([verb, name = "", , namespace]) => {
      if (verb === "uninstall") {
        deepEqual(
          left.work.filter((one) => one.startsWith("pg-operator/")),
          [],
          "nothing waits for a release that is gone",
        );
        drop(left.releases, `${namespace}/${name}`);
      }
      const list = left.releases.map((release) => {
        const [where = "", what = ""] = release.split("/");
        return { namespace: where, name: what, chart: what.startsWith("delphix-") ? `${what}-0.1.0` : "delphix-operator-0.1.0" };
      });
      return Promise.resolve(JSON.stringify(list));
    },
  };
  return { kubectl, left, changes: () => changes };
}

/** What the owner of the cluster reads, and the answer. */
function talk(answer: boolean): {
  context: string;
  say: (line: string) => void;
  agreed: (question: string) => Promise<boolean>;
  read: string[];
} {
  const read: string[] = [];
  const agreed = (question: string): Promise<boolean> => {
    read.push(question);
    return Promise.resolve(answer);
  };
  return { context: "theirs", say: (line) => void read.push(line), agreed, read };
}

const occupied: readonly { readonly what: string; readonly world: World; readonly says: RegExp }[] = [
  {
    what: "a namespace production of the user's own",
    world: { namespaces: { production: false }, releases: [], vdbs: [], work: [] },
    says: /namespace production exists, and the demo did not create it[^]*The context is unchanged/u,
  },
  {
    what: "the operator, installed by the user as the documentation says",
    world: { namespaces: { "pg-operator": false }, releases: ["pg-operator/delphix-operator"], vdbs: ["app/db"], work: [] },
    says: /Helm release pg-operator\/delphix-operator is installed/u,
  },
  {
    what: "the operator under another name in another namespace: two would fight over the same objects",
    world: { namespaces: {}, releases: ["databases/vdbs"], vdbs: [], work: [] },
    says: /Helm release databases\/vdbs is installed/u,
  },
];
for (const { what, world, says } of occupied) {
  test(`the demo is not installed where there is ${what}`, async () => {
    const { kubectl, changes } = clusterOf(world);
    const owner = talk(true);
    await rejects(askToInstall(kubectl, owner), says);
    equal(changes(), 0);
    deepEqual(owner.read, [], "nobody is asked to agree to it");
  });
  test(`demo-down leaves ${what}`, async () => {
    const { kubectl, left } = clusterOf(world);
    await removeDemo(kubectl, talk(true));
    deepEqual(left, world);
  });
}

test("the demo is installed into an empty cluster and over itself, after the owner has read what it makes", async () => {
  for (const world of [{ namespaces: { default: false }, releases: [], vdbs: [], work: [] }, demo]) {
    const owner = talk(true);
    await askToInstall(clusterOf(world).kubectl, owner);
    match(owner.read.join("\n"), /production[^]*pg-operator\/delphix-operator[^]*\nInstall the demo into theirs\?$/u);
  }
});

test("demo-down deletes what the demo made and what its operator serves, after the owner has read it", async () => {
  const { kubectl, left } = clusterOf(demo);
  const owner = talk(true);
  await removeDemo(kubectl, owner);
  deepEqual(left, { namespaces: { default: false }, releases: [], vdbs: [], work: ["default/kept"] });
  match(
    owner.read.join("\n"),
    /default\/mine[^]*delphix-storage\/delphix-storage[^]*namespaces [^]*\nDelete this from theirs\?/u,
  );
});

test("demo-down leaves what is the user's beside what is the demo's", async () => {
  const { kubectl, left } = clusterOf({ ...demo, namespaces: { ...demo.namespaces, production: false } });
  const owner = talk(true);
  await removeDemo(kubectl, owner);
  deepEqual(left.namespaces, { default: false, production: false });
  match(owner.read.join("\n"), /Namespace production stays/u);
});

test("without a yes nothing is installed, and nothing is deleted", async () => {
  const { kubectl, left, changes } = clusterOf(demo);
  await rejects(askToInstall(kubectl, talk(false)), /The demo is not installed/u);
  await rejects(removeDemo(kubectl, talk(false)), /The demo is not deleted/u);
  equal(changes(), 0);
  deepEqual(left, demo);
});
