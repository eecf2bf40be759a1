import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createDctClient } from "./client.ts";
import { DctError, type DctErrorKind } from "./errors.ts";
import { eq } from "./filter.ts";
import type { EndedCall } from "./transport.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | object;
}

/** A DCT for one test: a real HTTP server whose answers the test decides. */
async function startDct(
  answer: (seen: Seen) => Answer | "hang" | "hangUp",
): Promise<{ url: string; seen: Seen[] } & AsyncDisposable> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const respond = async (): Promise<void> => {
      const body = await bodyOf(request);
      const { method = "", url = "", headers } = request;
      const call = { method, path: url, authorization: headers.authorization, body };
      seen.push(call);
      const wanted = answer(call);
      if (wanted === "hang") return;
      if (wanted === "hangUp") {
        request.socket.destroy();
        return;
      }
      const text = typeof wanted.body === "string" ? wanted.body : JSON.stringify(wanted.body ?? {});
      response.writeHead(wanted.status ?? 200, wanted.headers).end(text);
    };
    void respond();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, seen, [Symbol.asyncDispose]: () => stop(server) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};
const stop = (server: Server): Promise<void> => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
};
const isEngines = ({ path }: Seen): boolean => path.startsWith("/v3/management/engines");
const ofKind = (kind: DctErrorKind) => (error: unknown) => error instanceof DctError && error.kind === kind;

test("the base path is probed once, /v3 before /dct/v3, and the key goes along", async () => {
  await using dct = await startDct(({ path }) => (path.startsWith("/dct/v3/") ? { body: { items: [] } } : { status: 404 }));
  await using client = createDctClient({ url: dct.url, apiKey: "1.abc" });
  await client.searchVdbs(eq("name", "a"));
  await client.searchVdbs();
  deepEqual(
    dct.seen.map(({ method, path }) => `${method} ${path}`),
    [
      "GET /v3/management/engines?limit=1",
      "GET /dct/v3/management/engines?limit=1",
      "POST /dct/v3/vdbs/search?limit=1000",
      "POST /dct/v3/vdbs/search?limit=1000",
    ],
  );
  ok(dct.seen.every(({ authorization }) => authorization === "apk 1.abc"));
  equal(dct.seen[2]?.body, `{"filter_expression":"name EQ 'a'"}`);
});

test("a base path in the URL is taken as it is", async () => {
  await using dct = await startDct(() => ({ body: { id: "1", status: "COMPLETED" } }));
  await using client = createDctClient({ url: `${dct.url}/some/proxy/v3/`, apiKey: "k" });
  equal((await client.getJob("a/b"))?.status, "COMPLETED");
  deepEqual(
    dct.seen.map(({ path }) => path),
    ["/some/proxy/v3/jobs/a%2Fb"],
    "an id is one path segment, whatever it holds",
  );
});

test("pages are followed to the end, or to the wanted number", async () => {
  await using dct = await startDct((call) => {
    if (isEngines(call)) return { body: { items: [] } };
    const from = Number(new URL(call.path, "http://x").searchParams.get("cursor") ?? "0");
    const items = [{ id: `v${from}` }, { id: `v${from + 1}`, name: null, unknown_field: 1 }];
    return { body: { items, response_metadata: from < 4 ? { next_cursor: String(from + 2) } : {} } };
  });
  await using client = createDctClient({ url: dct.url, apiKey: "k" });
  deepEqual(
    (await client.searchVdbs()).map(({ id }) => id),
    ["v0", "v1", "v2", "v3", "v4", "v5"],
  );
  deepEqual(await client.searchVdbs(undefined, { limit: 3, sort: "-name" }), [{ id: "v0" }, { id: "v1" }, { id: "v2" }]);
  match(dct.seen.at(-2)?.path ?? "", /limit=3&sort=-name/u);
});

const refusals: { name: string; answer: Answer; want: Partial<DctError>; final: boolean }[] = [
  {
    name: "a wrong key",
    answer: { status: 401, body: { error: "unauthorized", error_description: "bad key" } },
    want: { kind: "unauthorized", message: "POST /v3/vdbs/1/delete: bad key" },
    final: true,
  },
  { name: "forbidden", answer: { status: 403 }, want: { kind: "unauthorized" }, final: true },
  { name: "no such object", answer: { status: 404 }, want: { kind: "notFound" }, final: true },
  { name: "busy or taken", answer: { status: 409, body: { message: "busy" } }, want: { kind: "conflict" }, final: true },
  { name: "a bad request", answer: { status: 400 }, want: { kind: "refused", status: 400 }, final: true },
  {
    name: "throttled, with a time",
    answer: { status: 429, headers: { "retry-after": "7" } },
    want: { kind: "throttled", retryAfterSeconds: 7 },
    final: false,
  },
  {
    name: "throttled, time unreadable",
    answer: { status: 429, headers: { "retry-after": "soon" } },
    want: { kind: "throttled", retryAfterSeconds: 1 },
    final: false,
  },
  {
    name: "a proxy's HTML page",
    answer: { status: 502, body: "<html>" },
    want: { kind: "server", message: "POST /v3/vdbs/1/delete: HTTP 502" },
    final: false,
  },
  { name: "a redirect", answer: { status: 302, headers: { location: "/" } }, want: { kind: "badAnswer" }, final: false },
  { name: "HTML with status 200", answer: { body: "<html>" }, want: { kind: "badAnswer" }, final: false },
  {
    name: "a success without the job",
    answer: { body: {} },
    want: { kind: "badAnswer", message: "POST /v3/vdbs/1/delete: answer.job: must be an object, not undefined" },
    final: false,
  },
];
for (const { name, answer, want, final } of refusals) {
  test(`a call answers ${name} with its kind`, async () => {
    await using dct = await startDct((call) => (isEngines(call) ? { body: { items: [] } } : answer));
    await using client = createDctClient({ url: dct.url, apiKey: "k" });
    const error: unknown = await client.deleteVdb("1").catch((cause: unknown) => cause);
    ok(error instanceof DctError);
    for (const [field, value] of Object.entries(want)) equal(Reflect.get(error, field), value, field);
    equal(error.isFinal(), final);
    equal(dct.seen.filter(({ path }) => path.endsWith("/delete")).length, 1, "no call is repeated by the client itself");
  });
}

test("an object that does not exist is undefined", async () => {
  await using dct = await startDct((call) => (isEngines(call) ? { body: { items: [] } } : { status: 404 }));
  await using client = createDctClient({ url: dct.url, apiKey: "k" });
  equal(await client.getVdb("1"), undefined);
});

test("404 from everything is no proof that an object is gone", async () => {
  let moved = false;
  await using dct = await startDct(({ path }) => {
    const here = path.startsWith(moved ? "/dct/v3/" : "/v3/");
    return here ? { body: { items: [], id: "1" } } : { status: 404 };
  });
  await using client = createDctClient({ url: dct.url, apiKey: "k" });
  equal((await client.getVdb("1"))?.id, "1");
  moved = true; // DCT was upgraded to a version with the other base path
  await rejects(client.getVdb("1"), ofKind("badAnswer"));
  equal((await client.getVdb("1"))?.id, "1", "the next call finds the new base path");
});

test("silence, a hang-up and a closed port are unreachable, with the cause in the message", async () => {
  await using dct = await startDct(({ path }) => (path.includes("/jobs/") ? "hangUp" : "hang"));
  await using client = createDctClient({ url: `${dct.url}/v3`, apiKey: "k", timeoutSeconds: 0.2 });
  await rejects(client.getVdb("1"), (error) => ofKind("unreachable")(error) && String(error).includes("no answer within 0.2 s"));
  await rejects(client.getJob("1"), ofKind("unreachable"));
  await using nobody = createDctClient({ url: "http://127.0.0.1:1", apiKey: "k" });
  await rejects(nobody.getVdb("1"), (error) => ofKind("unreachable")(error) && String(error).includes("ECONNREFUSED"));
});

test("who gives up gets the own reason, not an error of DCT", async () => {
  await using dct = await startDct(() => "hang");
  await using client = createDctClient({ url: `${dct.url}/v3`, apiKey: "k" });
  const given = new Error("leader lease lost");
  const controller = new AbortController();
  const call = client.getVdb("1", { signal: controller.signal });
  while (dct.seen.length === 0) await sleep(5); // on a busy machine the request itself may take longer than any fixed pause
  controller.abort(given);
  await rejects(call, given);
  await rejects(client.getVdb("1", { signal: controller.signal }), given, "a signal already aborted sends nothing");
  equal(dct.seen.length, 1);
});

test("each call that was sent is told of by its operation, never by an id, and how it ended", async () => {
  await using dct = await startDct(({ path }) => {
    if (path.includes("/jobs/")) return "hang";
    if (path.includes("/vdbs/gone")) return { status: 404 };
    if (path.endsWith("/enable")) return { status: 409 };
    return { body: { items: [], id: "1", name: "x" } };
  });
  const told: string[] = [];
  const onCall = ({ operation, result, seconds }: EndedCall): void => {
    ok(seconds >= 0 && seconds < 60, `${seconds} s`);
    told.push(`${operation}: ${result}`);
  };
  let mayCall = true;
  const beforeSend = (): void => {
    if (!mayCall) throw new Error("not the leader");
  };
  await using client = createDctClient({ url: `${dct.url}/dct/v3`, apiKey: "k", onCall, beforeSend });
  await client.searchVdbs();
  await client.getVdb("orders");
  await client.getVdb("gone");
  await client.getEngine("e/1");
  await rejects(client.enableVdb("a/b"), ofKind("conflict"));
  await rejects(client.linkAppData({ name: "x", group_id: "g", parameters: {} }), ofKind("badAnswer"));
  const giveUp = new AbortController();
  const hanging = client.getJob("j", { signal: giveUp.signal });
  const sent = dct.seen.length;
  while (dct.seen.length === sent) await sleep(5);
  giveUp.abort(new Error("stopping"));
  await rejects(hanging);
  mayCall = false;
  await rejects(client.searchVdbs());
  deepEqual(told, [
    "POST /vdbs/search: ok",
    "GET /vdbs/{id}: ok",
    "GET /vdbs/{id}: notFound",
    "GET /management/engines: ok",
    "GET /management/engines/{id}: ok",
    "POST /vdbs/{id}/enable: conflict",
    "POST /dsources/appdata: badAnswer",
    "GET /jobs/{id}: abandoned",
  ]);
});

test("a call that its caller may no longer make is not sent, and says so in the caller's own words", async () => {
  await using dct = await startDct(() => ({ body: { items: [] } }));
  const lost = new Error("not the leader");
  let leads = true;
  const beforeSend = (): void => {
    if (!leads) throw lost;
  };
  await using client = createDctClient({ url: `${dct.url}/v3`, apiKey: "key", beforeSend });
  await client.searchEngines();
  leads = false;
  const sent = dct.seen.length;
  ok(sent > 0);
  await rejects(client.deleteVdb("1"), lost);
  equal(dct.seen.length, sent);
});
