/** What tests of a reconciler need: time they move, randomness they seed. More follows: an API server, faults, laws. */
export { seededRandom } from "./seeded-random.ts";
