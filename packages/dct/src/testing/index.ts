/** For tests of those who call DCT. */
export { type Answer, factDocument, flat, newerAnswers, ownDocument, problemsOf } from "./answers.ts";
export { dctContract, type Subject } from "./contract.ts";
export { type Cut, type FakeDctOptions, fakeDct } from "./fake-dct.ts";
export { dSourceId, FakeWorld, type JobLength } from "./fake-world.ts";
