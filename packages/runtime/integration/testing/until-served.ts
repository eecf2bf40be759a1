import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "../../src/index.ts";
import { widgets } from "../../src/testing/widget.ts";

/** Waits until the API server lists and watches Widgets: after their definition was made that takes a moment. */
export async function untilServed(client: Client): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      for await (const event of client.watch(widgets, { sendInitialEvents: true }, AbortSignal.timeout(5000))) {
        if (event.type === "bookmark") return;
      }
    } catch (error) {
      if (tries > 200) throw error;
      await delay(50);
    }
  }
}
