import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { verbs } from "./verbs.ts";

test("each verb that help names is one that every user is seen with, on a terminal and through a pipe", () => {
  const help = readFileSync(new URL("../../packages/cli/src/golden/help.txt", import.meta.url), "utf8");
  const [, commands = ""] = help.split("\nCommands:\n");
  const named = [...commands.matchAll(/^ {2}([a-z]+)/gmu)].map(([, verb = ""]) => verb).filter((verb) => verb !== "help");
  deepEqual(new Set(verbs.map(({ words }) => words[0])), new Set(named));
});
