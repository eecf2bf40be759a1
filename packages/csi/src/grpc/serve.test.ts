import { deepEqual, equal, match } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { credentials, makeClientConstructor, type ServiceError, status } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { DctError } from "@vdb/dct";
import { silentLog } from "kube-runtime";
import { protosJson } from "../generated/protos.ts";
import { getPluginCapabilities } from "../identity/get-plugin-capabilities.ts";
import { getPluginInfo } from "../identity/get-plugin-info.ts";
import type { Handler } from "./handler.ts";
import { invalidArgument } from "./rpc-error.ts";
import { serve } from "./serve.ts";

const folder = mkdtempSync(join(tmpdir(), "serve-"));
after(() => rmSync(folder, { recursive: true }));
let sockets = 0;
const silent = silentLog;
const identity = fromJSON(JSON.parse(protosJson), { longs: Number, enums: String, defaults: true, oneofs: true })[
  "csi.v1.Identity"
];

async function serving(service: Readonly<Record<string, Handler>>) {
  sockets += 1;
  const socket = join(folder, `${sockets}.sock`);
  const server = await serve({ endpoint: `unix://${socket}`, services: { "csi.v1.Identity": service }, log: silent });
  return { socket, [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose]() };
}

/** One call by the official client; the answer, or its status. */
async function call(socket: string, method: string, deadlineMs = 5_000): Promise<unknown> {
  if (identity === undefined || "format" in identity) throw new Error("no Identity service");
  const client = new (makeClientConstructor(identity, "Identity"))(`unix://${socket}`, credentials.createInsecure());
  const { path = "", requestSerialize, responseDeserialize } = identity[method] ?? {};
  if (requestSerialize === undefined || responseDeserialize === undefined) throw new Error(`no method ${method}`);
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        {},
        { deadline: Date.now() + deadlineMs },
        (error, answer) => resolve(error === null ? answer : { code: status[error.code], details: details(error) }),
      );
    });
  } finally {
    client.close();
  }
}
const details = (error: ServiceError): string => error.details;

/** One raw call with an `:authority` of one's own; its grpc-status. */
function statusFor(socket: string, authority: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const session = connectHttp2("http://ignored", { createConnection: () => connect(socket) });
  const stream = session.request({
    ":method": "POST",
    ":path": "/csi.v1.Identity/GetPluginInfo",
    ":authority": authority,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("trailers", (trailers) => resolve(String(trailers["grpc-status"])));
  stream.on("error", (error) => resolve(error.message));
  stream.on("close", () => session.close());
  stream.resume().end(Buffer.alloc(5));
  return promise;
}

describe("serve", () => {
  test("answers in the messages of the published definitions", async () => {
    await using server = await serving({
      GetPluginInfo: getPluginInfo("defs.csi.delphix.com"),
      GetPluginCapabilities: getPluginCapabilities,
    });
    deepEqual(await call(server.socket, "GetPluginInfo"), { name: "defs.csi.delphix.com", vendorVersion: "0.1.0", manifest: {} });
    match(
      JSON.stringify(await call(server.socket, "GetPluginCapabilities")),
      /CONTROLLER_SERVICE.*VOLUME_ACCESSIBILITY_CONSTRAINTS/u,
    );
  });

  test("accepts the authority of Go's clients over a unix socket: a host name, or the socket's path percent-encoded", async () => {
    await using server = await serving({ GetPluginInfo: getPluginInfo("defs.csi.delphix.com") });
    equal(await statusFor(server.socket, "localhost"), "0");
    equal(await statusFor(server.socket, encodeURIComponent(server.socket)), "0");
  });

  test("an RPC that is not there is UNIMPLEMENTED", async () => {
    await using server = await serving({});
    match(JSON.stringify(await call(server.socket, "Probe")), /UNIMPLEMENTED/u);
  });

  const errors: readonly { name: string; why: string; thrown: Error; want: object }[] = [
    {
      name: "a refusal",
      why: "its code decides what the caller does next",
      thrown: invalidArgument("name is missing"),
      want: { code: "INVALID_ARGUMENT", details: "name is missing" },
    },
    {
      name: "an outage of DCT",
      why: "the call may have run: never final",
      thrown: new DctError("unreachable", "DCT at https://e could not be reached"),
      want: { code: "UNAVAILABLE", details: "DCT at https://e could not be reached" },
    },
    {
      name: "a revoked key",
      why: "whether something was made before cannot be known, so it is not final either",
      thrown: new DctError("unauthorized", "GET /v3/vdbs: bad key"),
      want: { code: "UNAVAILABLE", details: "GET /v3/vdbs: bad key" },
    },
    {
      name: "a fault of ours",
      why: "not final: something may be half made",
      thrown: new TypeError("x is undefined"),
      want: { code: "ABORTED", details: "unexpected error in the driver, see its log: x is undefined" },
    },
  ];
  for (const { name, why, thrown, want } of errors)
    test(`${name} becomes a status`, async () => {
      await using server = await serving({ Probe: async () => await Promise.reject(thrown) });
      deepEqual(await call(server.socket, "Probe"), want, why);
    });

  test("a call whose caller gave up is told so", async () => {
    const told = Promise.withResolvers<boolean>();
    const wait: Handler = async (_message, { signal }) => {
      signal.addEventListener("abort", () => told.resolve(true));
      return await told.promise.then(() => ({}));
    };
    await using server = await serving({ Probe: wait });
    match(JSON.stringify(await call(server.socket, "Probe", 50)), /DEADLINE_EXCEEDED/u);
    equal(await told.promise, true);
  });

  test("stopping, calls under way end by a code that brings the caller back", async () => {
    const started = Promise.withResolvers<void>();
    const wait: Handler = async (_message, { signal }) => {
      started.resolve();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return {};
    };
    const server = await serving({ Probe: wait });
    const answer = call(server.socket, "Probe");
    await started.promise;
    await server[Symbol.asyncDispose]();
    deepEqual(await answer, { code: "UNAVAILABLE", details: "the driver stops: call again" });
  });

  test("a socket that a killed driver left behind is no obstacle", async () => {
    await using first = await serving({ GetPluginInfo: getPluginInfo("defs.csi.delphix.com") });
    await using second = await serve({
      endpoint: `unix://${first.socket}`,
      services: { "csi.v1.Identity": { GetPluginInfo: getPluginInfo("defs.csi.delphix.com") } },
      log: silent,
    });
    equal(await statusFor(first.socket, "localhost"), "0");
    equal(typeof second, "object");
  });
});
