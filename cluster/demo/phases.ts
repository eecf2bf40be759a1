import { readFileSync } from "node:fs";
import type { Kubectl } from "../stack/kubectl.ts";
import { say } from "./progress.ts";

/** An object of the demo; its manifest is the file of its name beside this one. */
export type DemoObject = { readonly kind: string; readonly name: string; readonly namespace: string };

/**
 * Applies the manifest and prints each phase as it comes. Returns the seconds from the apply to the phase `done`.
 * Fails with what kubectl describes when the phase is `Error` for good (`ends`), or `done` does not come in `seconds`.
 */
export async function applyAndFollow(
  kubectl: Kubectl,
  object: DemoObject,
  { done, seconds, ends = [done] }: { readonly done: string; readonly seconds: number; readonly ends?: readonly string[] },
): Promise<number> {
  const { kind, name, namespace } = object;
  say(`kubectl apply -f cluster/demo/${name}.yaml`);
  const from = performance.now();
  await kubectl.apply(readFileSync(new URL(`${name}.yaml`, import.meta.url), "utf8"));
  const last = await followPhases(kubectl, object, ends, seconds);
  if (last === done) return (performance.now() - from) / 1000;
  const described = await kubectl.run(["describe", kind.toLowerCase(), name, "-n", namespace]);
  const how = ends.includes(last) ? `ended as ${last}` : `did not become ${done} within ${seconds} s`;
  throw new Error(`${kind} ${namespace}/${name} ${how}.\n${described}`);
}

/** The last phase seen: one of `ends`, unless the time passed or the watch broke off. */
async function followPhases(
  kubectl: Kubectl,
  { kind, name, namespace }: DemoObject,
  ends: readonly string[],
  seconds: number,
): Promise<string> {
  let [line, last] = ["", ""];
  const watching = new AbortController();
  // kubectl aligns tabs with spaces, so another sign parts the two.
  const jsonpath = "jsonpath={.status.phase}|{.status.lastError}{'\\n'}";
  const watch = kubectl.try(["get", kind.toLowerCase(), name, "-n", namespace, "-w", "-o", jsonpath], {
    signal: watching.signal,
    onLine: (next) => {
      const [phase = "", ...error] = next.split("|");
      if (next !== line && phase !== "") say(`  ${phase}${error.join("|") === "" ? "" : `: ${error.join("|")}`}`);
      if (phase !== "") [line, last] = [next, phase];
      if (ends.includes(phase)) watching.abort();
    },
  });
  const timer = setTimeout(() => watching.abort(), seconds * 1000);
  await watch;
  clearTimeout(timer);
  return last;
}
