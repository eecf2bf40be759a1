import { inOrder, type Step } from "kube-runtime";
import type { VdbContext } from "./context.ts";
import { acceptSpec } from "./steps/accept-spec.ts";
import { enableInDct } from "./steps/enable-in-dct.ts";
import { ensureDeployment } from "./steps/ensure-deployment.ts";
import { ensureSettings } from "./steps/ensure-settings.ts";
import { ensureVolume } from "./steps/ensure-volume.ts";
import { enterMode } from "./steps/enter-mode.ts";
import { askAfterHooks, tellStarted } from "./steps/hold.ts";
import { openGate } from "./steps/open-gate.ts";
import { prepareDatabase } from "./steps/prepare-database.ts";
import { resolveSource } from "./steps/resolve-source.ts";
import { retireClaim } from "./steps/retire-claim.ts";
import { runHooks } from "./steps/run-hooks.ts";
import { serveTls } from "./steps/serve-tls.ts";

const prepared = inOrder<VdbContext>()
  .next(acceptSpec) // Accepted: source type, settings, password
  .next(retireClaim) // deletes a claim that an earlier manifest asked for
  .next(resolveSource) // SourceResolved: what is not found is named with the choices
  .next(ensureVolume) // Provisioned
  .next(ensureSettings) // Configured
  .next(enableInDct) // Deployed: after a stop
  .next(ensureDeployment) // Deployed
  .next(prepareDatabase) // Prepared: settings and password in force, behind the shut gate
  .next(serveTls); // the certificate too

/** How a PostgresVDB comes up: the table of contents of this folder, one file per step. */
export const vdbSteps: readonly Step<VdbContext>[] = prepared
  .next(runHooks) // HooksSucceeded
  .next(enterMode) // a Standby starts again, read-only
  .next(openGate).steps; // Ready

/** The same as far as an action lets it. */
export const heldSteps: Readonly<Record<"beforeHooks" | "beforeOpen", readonly Step<VdbContext>[]>> = {
  beforeHooks: prepared.steps,
  beforeOpen: prepared.next(tellStarted).next(runHooks).next(enterMode).next(askAfterHooks).steps,
};
