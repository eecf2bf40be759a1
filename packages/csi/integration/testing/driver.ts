import { join } from "node:path";
import { credentials, makeClientConstructor, status } from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { nodeName, poolDir } from "./engine.ts";
import type { Kubernetes } from "./kubernetes.ts";
import { type Program, startProgram } from "./program.ts";
import type { Scratch } from "./scratch.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;
/** From the published files, not from what the driver was generated of. */
const protos = ["csi", "pluginregistration"].map((name) => new URL(`../../proto/${name}.proto`, import.meta.url).pathname);
const definitions = loadSync(protos, { longs: Number, enums: String, defaults: true, oneofs: true });

export interface Driver extends Program {
  readonly socket: string;
}

/** The driver as a process with mounts of its own, as in its pod. */
export async function startDriver(
  scratch: Scratch,
  kubernetes: Kubernetes,
  { mode = "all", more = [] }: { readonly mode?: string; readonly more?: readonly string[] } = {},
): Promise<Driver> {
  const socket = join(scratch.path, "kubelet/plugins/defs.csi.delphix.com/csi.sock");
  const args = [
    `--mode=${mode}`,
    `--endpoint=unix://${socket}`,
    `--node-id=${nodeName}`,
    `--kubelet-dir=${join(scratch.path, "kubelet")}`,
    `--pool-dir=${poolDir(scratch)}`,
    `--stage-dir=/run/csi-test-stage`,
    `--kubernetes-url=${kubernetes.url}`,
    "--engineName=delphix-engine",
    "--health-port=0",
    ...more,
  ];
  const program = startProgram(main, args, { ownMounts: true });
  await program.logged('"msg":"the driver has started"');
  return { ...program, socket };
}

export type Answer =
  | { readonly code: "OK"; readonly message: Readonly<Record<string, unknown>> }
  | { readonly code: string; readonly details: string };

/** One call by the official client; never rejects. */
export async function call(socket: string, rpc: string, request: object = {}, deadlineSeconds = 60): Promise<Answer> {
  const [service = "", method = ""] = rpc.includes("/") ? rpc.split("/") : [serviceOf(rpc), rpc];
  const definition = serviceDefinition(service);
  const client = new (makeClientConstructor(definition, service))(`unix://${socket}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = definition[method] ?? missing(rpc);
  const deadline = Date.now() + deadlineSeconds * 1000;
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, (error, message) =>
        resolve(error === null ? { code: "OK", message: { ...message } } : { code: status[error.code], details: error.details }),
      );
    });
  } finally {
    client.close();
  }
}

const serviceOf = (rpc: string): string => {
  const found = ["csi.v1.Identity", "csi.v1.Controller", "csi.v1.Node"].find((one) => rpc in serviceDefinition(one));
  return found ?? missing(rpc);
};

function serviceDefinition(name: string): ServiceDefinition {
  const found = definitions[name];
  return found === undefined || "format" in found ? missing(name) : found;
}

function missing(what: string): never {
  throw new Error(`${what} is not in the published definitions`);
}
