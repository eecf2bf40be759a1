import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { fromJSON, type ServiceDefinition } from "@grpc/proto-loader";
import type { Log } from "kube-runtime";
import { protosJson } from "../generated/protos.ts";
import type { Service } from "./handler.ts";
import { unary } from "./unary.ts";

/** int64 is a byte count in CSI: exact as a number up to 8 PiB. */
const definitions = fromJSON(JSON.parse(protosJson), { longs: Number, enums: String, defaults: true, oneofs: true });
const unixScheme = "unix://";
/** How long calls that are under way may take to end after the driver was told to stop. */
const drainSeconds = 5;

export interface ServeOptions {
  /** unix:///path of the socket. */
  readonly endpoint: string;
  /** By full name, e.g. csi.v1.Node. */
  readonly services: Readonly<Record<string, Service>>;
  readonly log: Log;
}

/** Serves gRPC on a unix socket until it is disposed; then calls under way are told to stop, and have a moment to do so. */
export async function serve({ endpoint, services, log }: ServeOptions): Promise<AsyncDisposable> {
  const stopping = new AbortController();
  const server = new Server();
  for (const [name, service] of Object.entries(services)) {
    const handlers = Object.entries(service).map(([method, handler]) => [
      method,
      unary(method, handler, { log, stopping: stopping.signal }),
    ]);
    server.addService(definitionOf(name), untyped(Object.fromEntries(handlers)));
  }
  prepareSocket(endpoint);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
  });
  log.info({ endpoint, services: Object.keys(services) }, "the driver serves gRPC");
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await Promise.race([drained, sleep(drainSeconds * 1000, undefined, { ref: false })]);
      server.forceShutdown();
    },
  };
}

/** A socket file that a killed driver left behind would make the bind fail. */
function prepareSocket(endpoint: string): void {
  if (!endpoint.startsWith(`${unixScheme}/`)) throw new Error(`--endpoint=${endpoint}: it must be ${unixScheme}/path/of/socket`);
  const path = endpoint.slice(unixScheme.length);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
}

function definitionOf(name: string): ServiceDefinition {
  const found = definitions[name];
  if (found === undefined || "format" in found) throw new Error(`there is no gRPC service ${name}`);
  return found;
}

const untyped = (handlers: UntypedServiceImplementation): UntypedServiceImplementation => handlers;
