import type { PostgresVDB } from "@vdb/api";
import { unfinishedJobOf } from "@vdb/dct";
import { placeOf, type Standing } from "../../content-store.ts";
import { type ChangingDct, currentOf, isChanging } from "./change.ts";

/** For so long DCT may still act on a request whose answer was lost. */
const requestTimeoutSeconds = 60;

/** Which data a VDB has, beside what the database's status says of it. */
export async function standingOf(
  dct: ChangingDct,
  handle: string,
  { content, activeAction }: Pick<PostgresVDB["status"], "content" | "activeAction">,
  signal: AbortSignal,
): Promise<Standing> {
  if (content?.timeflow === undefined || handle === "") return { kind: "unknown" };
  const running = await unfinishedJobOf(dct, handle, signal);
  if (isChanging(running))
    return { kind: "underWay", message: `DCT's job ${running.id} (${running.type}) changes the data of the VDB ${handle}` };
  const current = await currentOf(dct, handle, signal);
  if (current === content.timeflow) return { kind: "asRecorded", sureAfterSeconds: requestTimeoutSeconds };
  if (current === activeAction?.replaced?.timeflow) return { kind: "givenBack" };
  return { kind: "changed", bytes: { ...placeOf(content), handle, timeflow: current } };
}
