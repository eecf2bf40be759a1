import { deepEqual, doesNotMatch, equal, match, ok, rejects } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { createDctClient, map } from "@vdb/dct";
import { createLog } from "kube-runtime";
import { makeSelfSigned } from "../identity/self-signed.ts";
import { allRoutes } from "./routes.ts";
import { type RunningServer, startServer } from "./server.ts";
import type { ApiState } from "./state.ts";

const { key, cert } = makeSelfSigned("engine", ["localhost"], new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000));
const unused: Partial<ApiState> = {};
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no request here gets as far as a route's work
const routes = allRoutes(unused as ApiState);
const apiKey = "1.secret";
const callerOf = (given: string): string | undefined => (given === apiKey ? "tests" : undefined);

const notReadyBecause = async (): Promise<undefined> => undefined;
const metricsText = (): string => "# HELP jobs Jobs.\njobs 1\n";
const request = (line: string, ...headers: readonly string[]): string =>
  [`${line} HTTP/1.1`, "host: localhost", "connection: close", ...headers, "", ""].join("\r\n");
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/u.exec(answer)?.[1]);

describe("the server", () => {
  let server: RunningServer;
  const lines: string[] = [];
  before(async () => {
    const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
    server = await startServer({
      host: "127.0.0.1",
      port: 0,
      key,
      cert,
      callerOf,
      routes,
      poolFileSystem: "btrfs",
      notReadyBecause,
      metricsText,
      log,
    });
  });
  after(() => server[Symbol.asyncDispose]());

  /** Sends bytes as they are, which no well-behaved client would; answers everything that comes back. */
  const send = (...parts: readonly (string | Buffer)[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: server.port, servername: "localhost", ca: cert });
      let said = "";
      socket.setEncoding("utf8").on("data", (text: string) => void (said += text));
      socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
      socket.once("error", reject).once("close", () => resolve(said));
      socket.once("secureConnect", () => void socket.write(Buffer.concat(parts.map((part) => Buffer.from(part)))));
    });

  test("/readyz says what the pool is made of", async () =>
    match(await send(request("GET /readyz")), /\{"status":"ready","pool_file_system":"btrfs"\}/u));

  for (const target of ["//", "http://[", "///x", "http://", "*", "/%"]) {
    test(`a target that is no path, ${target}, is refused, and the server goes on`, async () => {
      const status = statusOf(await send(request(`GET ${target}`)));
      ok(status === 400 || status === 401, String(status));
      equal(statusOf(await send(request("GET /healthz"))), 200);
    });
  }

  test("a path with a broken escape is refused by name also with the key", async () => {
    const answer = await send(request("GET /v3/vdbs/%E0%A4%A", `authorization: apk ${apiKey}`));
    equal(statusOf(answer), 400);
    match(answer, /the path is not well-formed/u);
  });

  test("every route refuses without the key, and with a wrong one", async () => {
    ok(routes.length > 20);
    for (const { method, path } of routes) {
      for (const headers of [[], ["authorization: apk 1.secreT"], ["authorization: 1.secret"]]) {
        const answer = await send(request(`${method} /v3${path.replace(":id", "x")}`, ...headers));
        equal(statusOf(answer), 401, `${method} ${path} ${headers.join("")}`);
      }
    }
  });

  test("the access log names the key of who changes something and the address of who has none, and never a key", async () => {
    const text = lines.length;
    await send(request("POST /v3/nothing?password=x", `authorization: apk ${apiKey}`, "content-length: 0"));
    await send(request("GET /v3/nothing", `authorization: apk ${apiKey}`));
    await send(request("GET /v3/vdbs", "authorization: apk 1.guessed"));
    await send(request("GET /healthz"));
    const told = lines.slice(text).map((line) => map(JSON.parse(line), "line"));
    deepEqual(
      told.map(({ level, method, path, status, key: name, from }) => [level, method, path, status, name, from]),
      [
        ["info", "POST", "/v3/nothing", 404, "tests", "127.0.0.1"],
        ["debug", "GET", "/v3/nothing", 404, "tests", "127.0.0.1"],
        ["info", "GET", "/v3/vdbs", 401, undefined, "127.0.0.1"],
      ],
    );
    doesNotMatch(lines.join(""), /1\.secret|1\.guessed|password/u);
  });

  test("metrics are sent as text, and only to who has the key", async () => {
    equal(statusOf(await send(request("GET /metrics"))), 401);
    const answer = await send(request("GET /metrics", `authorization: apk ${apiKey}`));
    equal(statusOf(answer), 200);
    match(answer, /content-type: text\/plain; version=0\.0\.4/iu);
    ok(answer.includes(metricsText()), answer);
    equal(statusOf(await send(request("DELETE /metrics", `authorization: apk ${apiKey}`))), 405);
  });

  test("a client that trusts another authority sends nothing, not even its key", async () => {
    const other = makeSelfSigned("engine", ["localhost"], new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000));
    for (const [caPem, kind] of [
      [other.cert, "unreachable"],
      [cert, "unauthorized"], // with the right authority it is the key that is refused
    ] as const) {
      await using client = createDctClient({ url: `https://localhost:${server.port}`, apiKey: "1.wrong", caPem });
      await rejects(client.searchVdbs(), { kind });
    }
  });

  test("a body above the limit is refused, and the caller gets to read why", async () => {
    const body = Buffer.alloc(2 * 2 ** 20, 32);
    const head = request("POST /v3/vdbs/search", `authorization: apk ${apiKey}`, `content-length: ${body.length}`);
    const answer = await send(head, body);
    equal(statusOf(answer), 413);
    match(answer, /a request body may have at most 524288 bytes/u);
  });
});
