/** What a manager answers over HTTP. */
import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../client/api-error.ts";
import { interceptApi } from "../client/intercept.ts";
import { memoryApi } from "../testing/memory-api.ts";
import { widgets } from "../testing/widget.ts";
import { until, withManager } from "./testing/with-manager.ts";

test("health and readiness say what they mean", async () => {
  let broken = true;
  const api = interceptApi(memoryApi(), {
    watch: async (_call, next) => {
      if (broken) throw new ApiError({ kind: "unavailable" }, "down");
      return next();
    },
  });
  let engine: string | undefined = "the engine does not answer";
  await withManager(
    { api, http: { host: "127.0.0.1", port: 0 } },
    (manager) => {
      manager.cacheFor(widgets);
      manager.addReadyCheck("engine", () => engine);
    },
    async (manager) => {
      await until(() => manager.httpPort() !== undefined);
      const ask = async (path: string): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${manager.httpPort()}${path}`);
        return `${answer.status} ${await answer.text()}`;
      };
      equal(await ask("/healthz"), "200 ok\n");
      equal(
        await ask("/readyz"),
        "503 widgets.testing.kube-runtime.dev: not read yet: down\nengine: the engine does not answer\n",
      );
      broken = false;
      engine = undefined;
      await until(async () => (await ask("/readyz")) === "200 ok\n");
      match(
        await ask("/metrics"),
        /kube_runtime_watch_actions_total\{resource="widgets\.testing\.kube-runtime\.dev",action="adopt"\}|action="gather"/u,
      );
      match(await ask("/elsewhere"), /^404 /u);
    },
  );
});

test("a ready check or a reader of a metric that throws is an answer, not the end of the process", async () => {
  await withManager(
    { http: { host: "127.0.0.1", port: 0 } },
    (manager) => {
      manager.addReadyCheck("engine", () => {
        throw new Error("no route to the engine");
      });
      manager.metrics.gauge("mine", "A gauge.").collect(() => {
        throw new Error("no reading");
      });
    },
    async (manager) => {
      await until(() => manager.httpPort() !== undefined);
      const ask = async (path: string): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${manager.httpPort()}${path}`);
        return `${answer.status} ${await answer.text()}`;
      };
      equal(await ask("/readyz"), "503 engine: no route to the engine\n");
      equal(await ask("/metrics"), "500 /metrics could not be answered: no reading\n");
      equal(await ask("/healthz"), "200 ok\n");
    },
  );
});
