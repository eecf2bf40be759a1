import { equal } from "node:assert/strict";
import { describe, test } from "node:test";
import type { Deployment } from "kube-runtime";
import type { Attachment } from "../../data/source.ts";
import { forever, meta, stepBench } from "../step-bench.ts";
import { disableInDct, enableInDct } from "./enable-in-dct.ts";

const aDeployment = (replicas: number): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: meta("orders"),
  spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
});
const stopped = [
  { type: "Deployed", status: "False", reason: "Stopped", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
];

const asWanted: Attachment = { kind: "asWanted" };

interface Row {
  readonly name: string;
  readonly why: string;
  readonly step: typeof enableInDct | typeof disableInDct;
  readonly replicas?: number;
  readonly conditions?: readonly object[];
  readonly answer?: Attachment;
  readonly want: string;
  /** Whether the source was asked, and for which state. */
  readonly asked: boolean | undefined;
}

const rows: readonly Row[] = [
  { name: "one that runs", why: "it must not depend on DCT", step: enableInDct, replicas: 1, want: "done", asked: undefined },
  { name: "after a stop", why: "its pod finds no data before", step: enableInDct, replicas: 0, want: "done", asked: true },
  {
    name: "a job that runs",
    why: "nothing tells of its end",
    step: enableInDct,
    replicas: 0,
    answer: { kind: "underWay", message: "DCT enables the VDB" },
    want: "after Starting",
    asked: true,
  },
  {
    name: "DCT refuses",
    why: "it may pass, and DCT's words are told",
    step: enableInDct,
    replicas: 0,
    answer: { kind: "refused", reason: "DctFailed", message: "no" },
    want: "after DctFailed",
    asked: true,
  },
  { name: "the pod is gone", why: "the data rests", step: disableInDct, want: "done", asked: false },
  {
    name: "being disabled",
    why: "it is not Stopped before that",
    step: disableInDct,
    answer: { kind: "underWay", message: "DCT disables the VDB" },
    want: "after Stopping",
    asked: false,
  },
  {
    name: "stopped already",
    why: "the condition is the record",
    step: disableInDct,
    conditions: stopped,
    want: "done",
    asked: undefined,
  },
];

describe("enableInDct, disableInDct", () => {
  for (const { name, why, step, replicas, conditions = [], answer = asWanted, want, asked } of rows)
    test(name, async () => {
      let wanted: boolean | undefined;
      const setAttached = async (_: unknown, __: unknown, state: boolean): Promise<Attachment> => {
        wanted = state;
        return answer;
      };
      const own = replicas === undefined ? {} : { deployment: aDeployment(replicas) };
      const { ctx } = await stepBench({ ...own, status: { conditions }, source: { setAttached } });
      const end = await step.run(ctx, forever);
      equal([end.kind, ...(end.kind === "done" ? [] : [end.reason])].join(" "), want, why);
      equal(wanted, asked, why);
    });
});
