import { equal } from "node:assert/strict";
import { test } from "node:test";
import { recovery } from "./install.ts";

const rows = [
  { status: "", want: undefined, why: "nothing is installed" },
  { status: "deployed", want: undefined, why: "an upgrade goes on from here" },
  { status: "failed", want: undefined, why: "so it does from here" },
  { status: "pending-install", want: "uninstall", why: "no revision is whole" },
  { status: "uninstalling", want: "uninstall", why: "what is half gone goes" },
  { status: "pending-upgrade", want: "rollback", why: "the revision before is whole" },
  { status: "pending-rollback", want: "rollback", why: "the revision before is whole" },
];
for (const { status, want, why } of rows)
  test(`a release in state "${status}": ${want ?? "nothing"} comes first, because ${why}`, () => equal(recovery(status), want));
