import { after, before } from "node:test";
import { createClient, customResourceDefinitions, type HttpApi, httpApi } from "../src/index.ts";
import { conformanceOf, startApiServer, type TestApiServer } from "../src/testing/index.ts";
import { widgetDefinition } from "../src/testing/widget.ts";
import { untilServed } from "./testing/until-served.ts";

let server: TestApiServer;
let api: HttpApi;

before(async () => {
  server = await startApiServer();
  api = httpApi(server.connection);
  const client = createClient(api, { fieldManager: "test" });
  await client.create(customResourceDefinitions, widgetDefinition, AbortSignal.timeout(60_000));
  await untilServed(client);
});
after(async () => {
  await api?.close();
  await server?.[Symbol.asyncDispose]();
});

conformanceOf({ name: "real API server", api: async () => api });
