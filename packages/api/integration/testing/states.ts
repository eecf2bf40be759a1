import { apiVersionOf, type StatusObject } from "../../src/index.ts";
import { actionStates, type ExampleState, vdbStates } from "../../src/status/example-states.ts";
import { type Api, kindNamed, pathOf } from "./api.ts";
import { type Json, textAt } from "./json.ts";

/** A state of the examples as an object of the API server. */
export interface StoredState {
  readonly name: string;
  readonly kstatus: ExampleState<StatusObject>["kstatus"];
  /** `postgresvdb/ready`, as kubectl calls it. */
  readonly called: string;
  readonly object: Json;
}

const slug = (text: string): string => text.replaceAll(/[^a-z]+/gu, "-");

/** Stores every example state: the object first, its status after it, as user and operator would. */
export async function storeStates(api: Api, namespace: string): Promise<readonly StoredState[]> {
  const stored: StoredState[] = [];
  for (const { name, kstatus, object } of [...vdbStates, ...actionStates])
    stored.push(await store(api, namespace, name, kstatus, object));
  return stored;
}

async function store(
  api: Api,
  namespace: string,
  state: string,
  kstatus: StoredState["kstatus"],
  { kind: kindName, spec, status }: StatusObject,
): Promise<StoredState> {
  const kind = kindNamed(kindName);
  const [apiVersion, path, name] = [apiVersionOf(kind), pathOf(kind, namespace), slug(state)];
  const created = await api.send("POST", path, { apiVersion, kind: kindName, metadata: { name }, spec });
  if (created.status !== 201) throw new Error(`${state}: ${textAt(created.body, "message")}`);
  const called = `${kindName.toLowerCase()}/${name}`;
  if (status.observedGeneration === -1) return { name: state, kstatus, called, object: created.body }; // nobody has looked: the default itself
  const written = await api.send("PUT", `${path}/${name}/status`, { ...created.body, status });
  if (written.status !== 200) throw new Error(`${state}: ${textAt(written.body, "message")}`);
  return { name: state, kstatus, called, object: written.body };
}
