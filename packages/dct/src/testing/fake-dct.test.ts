import { describe } from "node:test";
import { dctContract } from "./contract.ts";
import { fakeDct } from "./fake-dct.ts";
import { FakeWorld } from "./fake-world.ts";

describe("the fake DCT", () => {
  const world = new FakeWorld();
  dctContract(() => fakeDct(world));
});

describe("the fake DCT, when its jobs take time and its VDBs are shown late", () => {
  const world = new FakeWorld();
  dctContract(() => fakeDct(world, { jobs: 20, showsEarly: false }));
});
