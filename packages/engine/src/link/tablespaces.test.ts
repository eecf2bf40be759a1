import { deepEqual, equal, rejects } from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { folderOfTablespace, requireTablespaces, tablespacesIn } from "./tablespaces.ts";

describe("the tablespaces of a data folder", () => {
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), "tablespaces-"));
  });
  afterEach(() => rmSync(data, { recursive: true }));

  test("are what stands in pg_tblspc under a number; a folder that is not there yet has none", async () => {
    deepEqual(await tablespacesIn(join(data, "absent")), []);
    mkdirSync(join(data, "pg_tblspc"));
    for (const name of ["16390", "16384"]) symlinkSync("/nowhere", join(data, "pg_tblspc", name));
    writeFileSync(join(data, "pg_tblspc/PG_VERSION"), "16");
    deepEqual(await tablespacesIn(data), ["16384", "16390"]);
  });

  test("are missed where a link leads nowhere", async () => {
    mkdirSync(join(data, "pg_tblspc"));
    mkdirSync(join(data, folderOfTablespace("16384")), { recursive: true });
    symlinkSync(`../${folderOfTablespace("16384")}`, join(data, "pg_tblspc/16384"));
    await requireTablespaces(data);
    equal(
      existsSync(join(data, readlinkSync(join(data, "pg_tblspc/16384")))),
      false,
      "from the data folder itself it leads nowhere",
    );
    rmSync(join(data, folderOfTablespace("16384")), { recursive: true });
    await rejects(requireTablespaces(data), /the data of tablespace 16384 is missing: pg_tblspc\/16384 leads nowhere/u);
  });
});
