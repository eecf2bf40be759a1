/** DCT as a shell script calls it: bare requests, without this project's client. */
import { request } from "node:https";
import { eventually, items, type Json, parseJson, text } from "@vdb/cluster";

type Access = { readonly url: string; readonly apiKey: string; readonly caPem: string };
type Answer = { readonly status: number; readonly body: string };

async function accepted(answer: Promise<Answer>): Promise<Json> {
  const { status, body } = await answer;
  if (status < 200 || status > 299) throw new Error(`${status}: ${body}`);
  return parseJson(body);
}

export function bareDct({ url, apiKey, caPem }: Access) {
  const send = (method: string, path: string, body?: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `apk ${apiKey}`, "content-type": "application/json" };
      const sent = request(`${url}/v3${path}`, { method, headers, ca: caPem }, (answer) => {
        let said = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => void (said += chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: said }));
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    post: async (path: string, body: object): Promise<Answer> => await send("POST", path, body),
    /** What a search with that filter finds. */
    found: async (path: string, filter_expression: string): Promise<readonly Json[]> =>
      items(await accepted(send("POST", path, { filter_expression })), "items"),
    /** Starts a job and waits for its end: a script that starts the workload before it races with it. */
    job: async (path: string, body: object): Promise<void> => {
      const id = text(await accepted(send("POST", path, body)), "job", "id");
      await eventually(`job ${id} of ${path} has completed`, 120, async () => {
        const job = await accepted(send("GET", `/jobs/${id}`));
        if (text(job, "status") === "COMPLETED") return true;
        throw new Error(JSON.stringify(job));
      });
    },
  };
}
