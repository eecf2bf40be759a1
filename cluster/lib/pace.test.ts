import { equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const scratch = mkdtempSync(join(tmpdir(), "pace-"));
after(() => rmSync(scratch, { recursive: true }));

/** What the first build of all modules says after so many seconds, with so many packages of one module in its log. */
function said(module: string, packages: number, seconds: number): string {
  const log = join(scratch, "log");
  writeFileSync(log, `go: downloading a.b/c v1.0.0\n${Array.from({ length: packages }, (_, n) => `a.b/c/${n}\n`).join("")}`);
  const script = `set -euo pipefail; for part in common progress pace; do . "$1/$part.sh"; done
begin_pace "\${go_modules[@]}" "\${test_modules[@]}"; now_building ${module}; SECONDS=$((SECONDS + ${seconds}))
echo "$(go_status "${log}")"`;
  return execFileSync("/bin/bash", ["-c", script, "tools", import.meta.dirname], { encoding: "utf8" }).trim();
}

const rows: readonly { module: string; packages: number; seconds: number; left: string; why: string }[] = [
  { module: "kube", packages: 100, seconds: 20, left: "", why: "as yet a guess" },
  { module: "kube", packages: 1703, seconds: 203, left: "; about 5 min left", why: "half of 405 s is done, and 75 s follow" },
  { module: "kube", packages: 1703, seconds: 812, left: "; about 19 min left", why: "a machine that is four times slower" },
  { module: "csi", packages: 0, seconds: 405, left: "; about 2 min left", why: "what is before it is done" },
  { module: "csi", packages: 500, seconds: 2225, left: "; about 4 min left", why: "more packages than when they were counted" },
  { module: "kstatus", packages: 2, seconds: 480, left: "; about 1 min left", why: "it is being linked" },
];
for (const { module, packages, seconds, left, why } of rows) {
  test(`${packages} packages of ${module} after ${seconds} s: "${left}": ${why}`, () => {
    equal(said(module, packages, seconds), `, 1 modules downloaded, ${packages} packages compiled${left}`);
  });
}
