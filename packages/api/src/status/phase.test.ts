import { equal } from "node:assert/strict";
import { test } from "node:test";
import { refreshPhases } from "../actions/status-fields.ts";
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

const actionRows: { given: string; want: string; why: string }[] = [
  { given: "", want: "Pending", why: "nobody has looked" },
  { given: "Reconciling + Queued", want: "Pending", why: "it waits behind another" },
  { given: "Reconciling + Stopping", want: "Stopping", why: "the reason of Reconciling is the phase" },
  { given: "Reconciling + Rewinding", want: "Pending", why: "not a phase of a refresh" },
  { given: "Succeeded +, Ready +", want: "Completed", why: "the end" },
  { given: "Succeeded -, Stalled +", want: "Error", why: "the other end" },
];
for (const { given, want, why } of actionRows)
  test(`actionPhase: ${given === "" ? "nothing" : given} is ${want}`, () =>
    equal(actionPhase(seen(given), refreshPhases), want, why));
