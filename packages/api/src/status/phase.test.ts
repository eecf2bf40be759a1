import { equal } from "node:assert/strict";
import { test } from "node:test";
import { type ActionStep, refreshPhases } from "../actions/status-fields.ts";
import { actionPhase, vdbPhase } from "./phase.ts";

type Given = Parameters<typeof vdbPhase>[0];
const condition = (text: string): Given[number] => {
  const [type = "", status, reason = "Because"] = text.split(" ");
  return { type, status: status === "+" ? "True" : "False", reason };
};
const seen = (text: string): Given => (text === "" ? [] : text.split(", ").map(condition));

const vdbRows: { given: string; deleting?: true; want: string; why: string }[] = [
  { given: "", want: "Pending", why: "nobody has looked" },
  { given: "Reconciling +", want: "Pending", why: "somebody looks, nothing is known yet" },
  { given: "Reconciling +, SourceResolved +", want: "Provisioning", why: "the volume comes first" },
  { given: "Reconciling +, Provisioned - Provisioning", want: "Provisioning", why: "the volume is being made" },
  { given: "Reconciling +, Provisioned +", want: "Configuring", why: "settings follow" },
  {
    given: "Reconciling +, Provisioned +, Configured +, Deployed - Starting",
    want: "Deploying",
    why: "the pod is being started",
  },
  { given: "Ready +, Provisioned +, Configured +, Deployed +", want: "Ready", why: "all is done" },
  {
    given: "Ready -, Reconciling +, Provisioned +, Configured +, Deployed +",
    want: "Deploying",
    why: "it answers, but hooks keep it shut",
  },
  { given: "Provisioned +, Deployed - Stopped", want: "Stopped", why: "stopped as declared" },
  { given: "Stalled +, Ready -, Provisioned -", want: "Error", why: "a person is needed" },
  { given: "Stalled +, Deployed - Stopped", want: "Error", why: "an error is not hidden by being stopped" },
  { given: "Ready +", deleting: true, want: "Terminating", why: "deletion beats all" },
];
for (const { given, deleting = false, want, why } of vdbRows)
  test(`vdbPhase: ${deleting ? "deleting, " : ""}${given === "" ? "nothing" : given} is ${want}`, () =>
    equal(vdbPhase(seen(given), deleting), want, why));

/** `PreRefresh done, Stopping`: steps by their phases. */
const recorded = (text: string): ActionStep[] =>
  text === ""
    ? []
    : text.split(", ").map((one) => {
        const [phase = "", end] = one.split(" ");
        return { name: phase, phase, ...(end === undefined ? {} : { completionTime: "2026-01-31T12:00:00Z" }) };
      });

const actionRows: { given: string; steps?: string; want: string; why: string }[] = [
  { given: "", want: "Pending", why: "nobody has looked" },
  { given: "Reconciling + Queued", want: "Pending", why: "it waits behind another" },
  { given: "Reconciling + Stopping", want: "Pending", why: "a reason says why, and is no phase" },
  { given: "Reconciling + Stopping", steps: "PreRefresh done, Stopping", want: "Stopping", why: "the first that is not done" },
  {
    given: "Reconciling + DctUnreachable",
    steps: "PreRefresh done, Stopping done, Refreshing",
    want: "Refreshing",
    why: "an outage in the middle leaves the phase where it is",
  },
  { given: "Reconciling + RollingBack", steps: "Stopping done, Refreshing", want: "Refreshing", why: "so does taking back" },
  {
    given: "Reconciling + Retrying",
    steps: "Stopping done",
    want: "Stopping",
    why: "its last step is done, its end is not told",
  },
  { given: "Reconciling + Retrying", steps: "Rewinding", want: "Pending", why: "not a phase of a refresh" },
  { given: "Succeeded +, Ready +", steps: "Finalizing done", want: "Completed", why: "the end" },
  { given: "Succeeded -, Stalled +", steps: "Stopping", want: "Error", why: "the other end" },
];
for (const { given, steps = "", want, why } of actionRows)
  test(`actionPhase: ${given === "" ? "nothing" : given}${steps === "" ? "" : `, steps ${steps}`} is ${want}`, () =>
    equal(actionPhase(seen(given), recorded(steps), refreshPhases), want, why));
