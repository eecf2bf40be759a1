import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "./config.ts";

test("a node takes its name from the environment, a flag beats it", () => {
  equal(readConfig(["--mode=node"], { NODE_NAME: "node-a" }).nodeId, "node-a");
  equal(readConfig(["--mode=node", "--node-id=node-b"], { NODE_NAME: "node-a" }).nodeId, "node-b");
});

test("a default that is empty is none: charts render what is not set as empty", () => {
  const { defaults } = readConfig(["--mode=controller", "--engineName=", "--envName=dev-env"], {});
  deepEqual(defaults, {
    envName: "dev-env",
    vdbGroupName: "Untitled",
    vdbStageMountpath: "/mnt/postgres",
    ownershipSpec: "999:999",
  });
});

const mistakes: readonly { args: readonly string[]; want: RegExp }[] = [
  { args: ["--mode=nodes"], want: /--mode=nodes: it must be one of controller, node, all/u },
  { args: ["--mode=node"], want: /--node-id/u },
  { args: ["--mode=controller", "--health-port=http"], want: /--health-port=http: it must be a whole number/u },
  { args: ["--mode=controller", "--no-such-flag=1"], want: /no-such-flag/u },
];
for (const { args, want } of mistakes)
  test(`${args.join(" ")} is refused at the start`, () => throws(() => readConfig(args, {}), want));
