import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { map } from "@vdb/dct";
import { parse } from "yaml";
import { allRoutes } from "./routes.ts";
import type { ApiState } from "./state.ts";

test("the engine serves exactly what openapi.yaml describes", () => {
  const text = readFileSync(new URL("../../../dct/openapi.yaml", import.meta.url), "utf8");
  const paths = map(map(parse(text), "openapi")["paths"], "paths");
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(map(methods, path)).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const unused: Partial<ApiState> = {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the paths are looked at: no route runs, so no state is needed
  const served = allRoutes(unused as ApiState).map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/gu, "{$1}")}`);
  deepEqual(served.toSorted(), described.toSorted());
});
