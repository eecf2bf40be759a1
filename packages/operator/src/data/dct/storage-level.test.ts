import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { StorageLevel } from "../storage.ts";
import { storageLevel } from "./storage-level.ts";

const MiB = 2 ** 20;
const figures = (freeMiB: number, reserveMiB: number | undefined = 256) => ({
  data_storage_capacity: 20_480 * MiB,
  data_storage_used: (20_480 - freeMiB) * MiB,
  ...(reserveMiB === undefined ? {} : { data_storage_reserve: reserveMiB * MiB }),
});

test("an engine's storage: its level by what is free, left with more room than it is entered with", () => {
  const rows: [string, number, number | undefined, StorageLevel | undefined, StorageLevel][] = [
    ["plenty", 5000, 256, undefined, "roomLeft"],
    ["the reserve itself is still there", 256, 256, undefined, "roomLeft"],
    ["the reserve is being used", 255, 256, "roomLeft", "nearlyFull"],
    ["a little more than the reserve does not end the warning", 300, 256, "nearlyFull", "nearlyFull"],
    ["a quarter more does", 321, 256, "nearlyFull", "roomLeft"],
    ["no room for a WAL segment", 15, 256, "nearlyFull", "full"],
    ["a little room does not end the error", 18, 256, "full", "full"],
    ["more does, and leaves the warning", 21, 256, "full", "nearlyFull"],
    ["from full to plenty at once", 5000, 256, "full", "roomLeft"],
    ["a reserve of nothing does not hide a full storage", 10, 0, undefined, "full"],
    ["an engine that keeps nothing has no warning before its end", 17, 0, undefined, "roomLeft"],
    ["a DCT's engine: a twentieth of its capacity stands for the reserve", 1000, undefined, undefined, "nearlyFull"],
    ["more is used than there is", -5, 256, undefined, "full"],
  ];
  for (const [why, freeMiB, reserveMiB, before, want] of rows) {
    const given =
      reserveMiB === undefined ? { ...figures(freeMiB), data_storage_reserve: undefined } : figures(freeMiB, reserveMiB);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a field that is left out and one that is undefined are read alike
    equal(storageLevel(given as ReturnType<typeof figures>, before), want, why);
  }
});

test("an engine without figures has no level", () => {
  equal(storageLevel({}, "full"), undefined);
  equal(storageLevel({ data_storage_capacity: 0, data_storage_used: 0 }, undefined), undefined);
});
