/** For tests of those who call DCT. */
export { dctContract, type Subject } from "./contract.ts";
export { type Cut, type FakeDctOptions, fakeDct } from "./fake-dct.ts";
export { dSourceId, FakeWorld, type JobLength } from "./fake-world.ts";
