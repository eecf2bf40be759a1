/** What tests of a reconciler need: a real API server, randomness they seed. */

export { seededRandom } from "./seeded-random.ts";
export { type ApiServerOptions, startApiServer, type TestApiServer } from "./start-api-server.ts";
