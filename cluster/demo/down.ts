/** `make demo-down`: removes everything that make demo made. On a cluster of the user's: the two releases and three namespaces. */
import { chosenCluster, endCluster } from "../stack/cluster.ts";
import { removeCharts } from "../stack/install.ts";
import { productionNamespace } from "../stack/production.ts";
import { command, say } from "./progress.ts";

await command(async () => {
  if (process.env["CLUSTER"] === undefined) {
    await endCluster(say);
  } else {
    const kubectl = await chosenCluster({ up: false, say });
    say("Deleting the virtual databases and the releases");
    await removeCharts(kubectl);
    await kubectl.run(["delete", "namespace", productionNamespace, "--ignore-not-found", "--timeout=120s"]);
  }
  say("Removed.");
});
