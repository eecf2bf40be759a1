/**
 * What tests of a reconciler need, from the least powerful that proves it: an API server in memory, faults at the client,
 * laws that hold for every reconciler, time and randomness that a test controls, and the real API server.
 */

export { type Certificate, selfSignedCertificate } from "./certificate.ts";
export { type ConformanceTarget, conformanceOf } from "./conformance.ts";
export { type FaultAnswer, type FaultProxy, type ProxiedExchange, type ProxiedRequest, startFaultProxy } from "./fault-proxy.ts";
export {
  atWrite,
  CrashedError,
  crashAt,
  type Fault,
  type FaultPlan,
  type FaultyApi,
  failAt,
  faultyApi,
  isWrite,
  sometimes,
  writesOf,
} from "./faults.ts";
export { freePort } from "./free-port.ts";
export { crashAtEveryCallConverges, type MakeWorld, oneFailureConverges, secondRunWritesNothing, type World } from "./laws.ts";
export { type LiveOptions, liveManager } from "./live-manager.ts";
export { type MemoryApi, type MemoryApiOptions, memoryApi } from "./memory-api.ts";
export { seededRandom } from "./seeded-random.ts";
export { type ApiServerOptions, startApiServer, type TestApiServer } from "./start-api-server.ts";
export { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
export { isFullTier, sampled, testSeed, turns } from "./tier.ts";
export { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";
