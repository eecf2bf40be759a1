import { equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const paths = join(import.meta.dirname, "../paths");
const kubeconfig = (env: Record<string, string>): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(paths, ["kubeconfig"], { env: { PATH: process.env["PATH"], HOME: "/nowhere", ...env }, encoding: "utf8" });

const places: readonly { readonly env: Record<string, string>; readonly place: RegExp; readonly why: string }[] = [
  { env: {}, place: /\/\.local\/kubeconfig$/mu, why: "the demo's own" },
  {
    env: { CLUSTER_NAME: "other" },
    place: /\/\.local\/other\.kubeconfig$/mu,
    why: "another cluster must not take the demo's place",
  },
  { env: { CLUSTER_NAME: "other", CLUSTER_KUBECONFIG: "/mine" }, place: /^\/mine$/mu, why: "its owner chose" },
];
for (const { env, place, why } of places) {
  test(`the kubeconfig of ${JSON.stringify(env)}: ${why}`, () => match(kubeconfig(env).stdout, place));
}

test("a name that no cgroup could bear is refused with what a name is", () => {
  const { status, stderr } = kubeconfig({ CLUSTER_NAME: "x".repeat(31) });
  equal(status, 1);
  match(stderr, /1 to 30 lower-case letters/u);
});
