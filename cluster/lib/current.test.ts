/** The ways of an image into a cluster of the user's, with stand-ins for the programs that would do it. */
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const lib = import.meta.dirname;
const scratch = mkdtempSync(join(tmpdir(), "current-"));
after(() => rmSync(scratch, { recursive: true }));

type Machine = {
  readonly context: string;
  readonly kubelet?: string;
  readonly programs?: readonly string[];
  readonly env?: Record<string, string>;
  readonly images?: string;
};
type Result = {
  readonly status: number | null;
  readonly said: string;
  readonly calls: readonly string[];
  readonly list: Record<string, string>;
};

/** Runs load_into_current where only the named programs exist; each writes its arguments down. */
function load({ context, kubelet = "v1.36.3", programs = [], env = {}, images = "" }: Machine): Result {
  const root = mkdtempSync(join(scratch, "case-"));
  const bin = join(root, "bin");
  mkdirSync(bin);
  const stub = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/bash\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  stub("kubectl", `case $1 in config) echo ${context} ;; *) echo ${kubelet} ;; esac`);
  for (const name of programs) stub(name, `echo "${name} $*" >>${root}/calls`);
  mkdirSync(join(root, ".local"));
  const built = { operator: "registry.local/delphix-operator:0a", csi: "registry.local/delphix-csi:0b" };
  writeFileSync(join(root, ".local/images.json"), JSON.stringify(built, undefined, 2));
  writeFileSync(join(root, "calls"), "");
  const script = `set -euo pipefail; . '${lib}/common.sh'; . '${lib}/current.sh'; root=${root}; our_images=(operator csi); pack_image() { echo packed; }; load_into_current ${images}`;
  const { status, stdout, stderr } = spawnSync("/bin/bash", ["-c", script, "load-images"], {
    env: { PATH: `${bin}:/usr/bin:/bin`, HOME: root, TMPDIR: root, ...env },
    encoding: "utf8",
  });
  const calls = readFileSync(join(root, "calls"), "utf8")
    .trim()
    .split("\n")
    .map((call) => call.replaceAll(/\/\S+\/tmp\.\S+/gu, "FILE"));
  return { status, said: stdout + stderr, calls, list: JSON.parse(readFileSync(join(root, ".local/images.json"), "utf8")) };
}

const yes = { YES: "1" };

test("a kind cluster gets each image by its own command", () => {
  const { calls } = load({ context: "kind-dev", programs: ["kind"], env: yes });
  deepEqual(
    calls,
    Array.from({ length: 3 }, () => "kind load image-archive FILE --name dev"),
  );
});

test("only the images that are named go there", () => {
  const { said, calls } = load({ context: "kind-dev", programs: ["kind"], env: yes, images: "csi" });
  deepEqual(calls, ["kind load image-archive FILE --name dev"]);
  match(said, /image csi: to context kind-dev by kind/u);
});

test("images go to the context that was agreed to, whichever is current by now", () => {
  const { calls } = load({
    context: "kind-other",
    programs: ["kind"],
    env: { ...yes, CLUSTER_CONTEXT: "kind-dev" },
    images: "csi",
  });
  deepEqual(calls, ["kind load image-archive FILE --name dev"]);
});

test("this machine's k3s gets each image by its own command", () => {
  const { calls } = load({ context: "default", kubelet: "v1.36.3+k3s1", programs: ["k3s"], env: yes });
  deepEqual(
    calls,
    Array.from({ length: 3 }, () => "k3s ctr images import FILE"),
  );
});

test("a registry is pushed to, and the charts are given its references", () => {
  const { calls, list } = load({ context: "cloud", programs: ["skopeo"], env: { ...yes, REGISTRY: "host.example/team/" } });
  deepEqual(calls, [
    "skopeo --insecure-policy copy --quiet docker-archive:FILE docker://host.example/team/delphix-operator:0a",
    "skopeo --insecure-policy copy --quiet docker-archive:FILE docker://host.example/team/delphix-csi:0b",
  ]);
  deepEqual(list, { operator: "host.example/team/delphix-operator:0a", csi: "host.example/team/delphix-csi:0b" });
});

const refused = [
  {
    why: "nobody said yes, and there is no terminal to ask",
    machine: { context: "kind-dev", programs: ["kind"] },
    says: /context kind-dev is unchanged: set YES=1/u,
  },
  {
    why: "a cluster of unknown kind, and no registry",
    machine: { context: "cloud", programs: ["kind", "k3s"], env: yes },
    says: /context cloud.*REGISTRY=host\/path/u,
  },
  {
    why: "k3s is here, but the context is another machine's cluster",
    machine: { context: "default", kubelet: "v1.36.3", programs: ["k3s"], env: yes },
    says: /REGISTRY=host\/path/u,
  },
];
for (const { why, machine, says } of refused) {
  test(`nothing is loaded: ${why}`, () => {
    const { status, said, calls } = load(machine);
    equal(status, 1);
    match(said, says);
    deepEqual(calls, [""]);
  });
}
