/** `make demo-down`: removes everything that make demo made. On a cluster of the user's: what the demo made there, and nothing else. */
import { asksForCurrent, currentCluster, endCluster } from "../stack/cluster.ts";
import { agreed } from "./consent.ts";
import { removeDemo } from "./current.ts";
import { command, say } from "./progress.ts";

await command(async () => {
  if (asksForCurrent()) {
    const { kubectl, context } = await currentCluster(say);
    await removeDemo(kubectl, { context, say, agreed });
  } else {
    await endCluster(say);
    say("Removed.");
  }
});
