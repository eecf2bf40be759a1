/** Objects as the API server gives them. */
import {
  type ActionKind,
  type ActionObject,
  apiVersionOf,
  decode,
  type PostgresVDB,
  type PostgresVDBStatus,
  postgresVDB,
} from "@vdb/api";

/** When it is now in the tests of texts. */
export const now = Date.parse("2026-01-31T12:00:00Z");
const created = "2026-01-31T10:00:00Z";

/** `Deployed- Starting: the pod starts`: type, + or -, reason, message. */
export function conditions(...texts: readonly string[]) {
  return texts.map((text) => {
    const [, type = "", sign, reason = "", message = "as declared"] = /^(\w+)([+-]) (\w+)(?:: (.*))?$/su.exec(text) ?? [];
    const status = sign === "+" ? ("True" as const) : ("False" as const);
    return { type, status, reason, message, lastTransitionTime: created, observedGeneration: 1 };
  });
}

interface VdbParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: Partial<PostgresVDBStatus>;
}

export function aVdb({ name = "orders", namespace = "shop", metadata = {}, spec = {}, status = {} }: VdbParts = {}): PostgresVDB {
  return decode(postgresVDB, {
    apiVersion: apiVersionOf(postgresVDB),
    kind: "PostgresVDB",
    metadata: { namespace, name, uid: name, resourceVersion: "1", generation: 1, creationTimestamp: created, ...metadata },
    spec: {
      source: { type: "dct-source", reference: "delphix-engine:production" },
      database: { passwordSecretRef: "password" },
      ...spec,
    },
    status: { phase: "Pending", observedGeneration: 1, ...status },
  });
}

/** One whose gate is open. */
export const readyVdb = (more: VdbParts = {}): PostgresVDB =>
  aVdb({
    ...more,
    status: {
      phase: "Ready",
      endpoint: "orders.shop.svc:5432",
      pvcName: "orders-1a2b3c",
      delphixID: "vdb-7",
      dataTimestamp: "2026-01-31T09:00:00Z",
      ownBytes: 17_825_792,
      content: { id: "1a2b3c", madeBy: "create", openedTime: created },
      conditions: conditions(
        "Ready+ Ready",
        "Accepted+ Accepted: the operator can carry it out",
        "SourceResolved+ Resolved: delphix-engine:production exists",
        "HooksComplete- PostRefreshMissing: it has post-create hooks and no post-refresh hooks",
      ),
      ...more.status,
    },
  });

interface ActionParts {
  readonly name?: string;
  readonly created?: string;
  readonly spec?: object;
  readonly status?: object;
}

export function anAction(
  kind: ActionKind,
  { name = "one", created: at = created, spec = {}, status = {} }: ActionParts = {},
): ActionObject {
  const reference =
    "vdbRef" in kind.spec.properties ? { vdbRef: { name: "orders" } } : { targetRef: { name: "orders" }, content: "SELECT 1" };
  return decode<ActionKind>(kind, {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { namespace: "shop", name, uid: name, resourceVersion: "1", generation: 1, creationTimestamp: at },
    spec: { ...reference, ...spec },
    status: { phase: "Pending", observedGeneration: 1, ...status },
  });
}
