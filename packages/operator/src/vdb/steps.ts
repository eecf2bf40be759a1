import type { Step } from "kube-runtime";
import { acceptSpec } from "./accept-spec.ts";
import { enableInDct } from "./attach.ts";
import type { VdbContext } from "./context.ts";
import { ensureDeployment } from "./ensure-deployment.ts";
import { ensureSettings } from "./ensure-settings.ts";
import { ensureVolume } from "./ensure-volume.ts";
import { openGate } from "./open-gate.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { resolveSource } from "./resolve-source.ts";
import { retireClaim } from "./retire-claim.ts";
import { runHooks } from "./run-hooks.ts";

/** How a PostgresVDB comes up: the table of contents of this folder, one file per step. */
export const vdbSteps: readonly Step<VdbContext>[] = [
  acceptSpec, // Accepted: source type, settings, password
  retireClaim, // what a manifest that was corrected had begun
  resolveSource, // SourceResolved: what is not found is named with the choices
  ensureVolume, // Provisioned
  ensureSettings, // Configured
  enableInDct, // Deployed: after a stop
  ensureDeployment, // Deployed
  prepareDatabase, // Prepared: settings and password in force, behind the shut gate
  runHooks, // HooksSucceeded
  openGate, // Ready
];
