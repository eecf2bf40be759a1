import type { ControlledKind, Run } from "../../controller/kind.ts";
import { done, waiting } from "../../controller/outcome.ts";
import { owned } from "../../controller/watches.ts";
import { configMaps } from "../../kinds/core.ts";
import { controllerReference } from "../../objects/owner.ts";
import { type Widget, widgets } from "../../testing/widget.ts";
import type { Manager } from "../manager.ts";

const key = { namespace: "n", name: "w" };

/** A kind with everything: a child object, an intent and an effect outside, clean-up. */
export function widgetKind(manager: Manager, ledger: string[]): ControlledKind<Widget, Run<Widget>> {
  const maps = manager.cacheFor(configMaps);
  return {
    name: "widget",
    resource: widgets,
    conditions: [
      { type: "Copied", reason: "Copied", message: "the copy is there" },
      { type: "Entered", reason: "Entered", message: "the line is in the ledger" },
    ],
    observe: async (run) => run,
    steps: [
      {
        name: "copy",
        condition: "Copied",
        run: async ({ object, client }, own) => {
          const size = String(object.spec.size);
          const present = maps.get(key);
          if (present?.data?.["size"] === size) return done();
          const metadata = { ...key, ownerReferences: [controllerReference(object)] };
          if (present === undefined) await client.create(configMaps, { metadata, data: { size } }, own);
          else await client.patch(configMaps, key, { data: { size } }, own);
          return done();
        },
      },
      {
        name: "enter",
        condition: "Entered",
        run: async (run, own) => {
          run.status.intent = run.object.metadata.name;
          await run.saveStatus(own);
          if (!ledger.includes(run.status.intent)) ledger.push(run.status.intent);
          return done();
        },
      },
    ],
    cleanUp: {
      finalizer: "testing.kube-runtime.dev/clean",
      steps: [
        {
          name: "strike",
          run: async (run) => {
            const at = ledger.indexOf(run.object.metadata.name);
            if (at !== -1) ledger.splice(at, 1);
            return done();
          },
        },
      ],
    },
  };
}

/** Controls it, and wakes it for its child objects. */
export const setUp =
  (ledger: string[]) =>
  (manager: Manager): void => {
    const maps = manager.cacheFor(configMaps);
    manager.control(widgetKind(manager, ledger), {
      triggers: [owned(maps, widgets)],
      backOffSeconds: { first: 0.01, most: 0.05 },
    });
  };

/** Does nothing but to call `onRun`. */
export const waitingKind = (name: string, onRun: (run: Run<Widget>) => void): ControlledKind<Widget, Run<Widget>> => ({
  name,
  resource: widgets,
  conditions: [],
  observe: async (run) => run,
  steps: [
    {
      name: "s",
      run: async (run) => {
        onRun(run);
        return waiting("Never", "nothing comes");
      },
    },
  ],
});
