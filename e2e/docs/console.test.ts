import { deepEqual, equal, match, ok } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { consoleBlocks, runnable } from "./console.ts";
import { notRun, sessions } from "./plan.ts";

const root = join(import.meta.dirname, "../..");
const pages = globSync("{README.md,CONTRIBUTING.md,docs/**/*.md,{charts,packages}/*/README.md,cluster/README.md}", { cwd: root });
const text = (page: string): string => readFileSync(join(root, page), "utf8");
const blocks = pages.flatMap((page) => consoleBlocks(page, text(page)));

test("what has a prompt is a block of commands", () => {
  const other = /^ *```(?!console)\w*\n *\$ /mu;
  deepEqual(
    pages.filter((page) => other.test(text(page))),
    [],
  );
});

const short = (name: string): string => name.split("\n")[0] ?? "";

test("a command has its here-document, its loop and no output", () => {
  const page =
    "```console\n$ kubectl apply -f - <<YAML\na: 1\nYAML\n$ for one in a b; do\n    echo $one\n  done\na\nb\n$ true\n```\n";
  deepEqual(consoleBlocks("p", page), [
    {
      name: "p: kubectl apply -f - <<YAML\na: 1\nYAML",
      commands: ["kubectl apply -f - <<YAML\na: 1\nYAML", "for one in a b; do\n    echo $one\n  done", "true"],
      text: page.slice("```console\n".length, -"```\n".length),
    },
  ]);
  equal(runnable("echo &"), "echo &");
  match(runnable("kubectl port-forward svc/x 8443:443 &"), /&\nuntil .*8443/u);
});

test("every block of commands in the documentation runs on the e2e cluster, or is named with the reason why not", () => {
  ok(blocks.length > 30, `${blocks.length} blocks`);
  const named = [...sessions.flatMap((session) => session.blocks), ...Object.keys(notRun)];
  deepEqual(
    blocks.map(({ name }) => short(name)).filter((name) => !named.some((one) => short(one) === name)),
    [],
    "neither run nor named",
  );
  deepEqual(
    named.map(short).filter((name) => !blocks.some((block) => short(block.name) === name)),
    [],
    "not in the documentation any more",
  );
});

test("what a session puts in is in its blocks", () => {
  for (const { what, blocks: names, put = {} } of sessions) {
    const commands = new Set(blocks.filter(({ name }) => names.includes(name)).flatMap((block) => block.commands));
    deepEqual(
      Object.keys(put).filter((command) => !commands.has(command)),
      [],
      what,
    );
  }
});
