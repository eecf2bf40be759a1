import type { PostgresVDB } from "@vdb/api";
import type { Command } from "commander";
import { isApiError } from "kube-runtime";
import { databases, notServed } from "../cluster/databases.ts";
import { openSession } from "../cluster/session.ts";
import { Complaint } from "../complaint.ts";
import { ageOf } from "../text/age.ts";
import { parentOf } from "../text/parent.ts";
import { asFormat, nameOf } from "../text/print.ts";
import { sizeText } from "../text/size.ts";
import { toneOfPhase } from "../text/style.ts";
import { type Cell, table } from "../text/table.ts";
import type { ConnectionFlags, Output, World } from "../world.ts";
import { type End, type OutputFlags, outputOption } from "./options.ts";

interface ListFlags extends ConnectionFlags, OutputFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
}

export function defineList(program: Command, world: World, end: End): void {
  program
    .command("list")
    .alias("ls")
    .description("list databases: phase, age of the data, bytes of their own, and what they are copies of")
    .option("-A, --all-namespaces", "in all namespaces")
    .option("-l, --selector <labels>", "only databases with these labels, for example sourceDBName=production")
    .addOption(outputOption())
    .action(async (_flags: unknown, command: Command) => {
      end(await list(world, command.optsWithGlobals<ListFlags>()));
    });
}

async function list(world: World, flags: ListFlags): Promise<number> {
  await using session = await openSession(world, flags);
  const { allNamespaces = false, selector, output } = flags;
  const place = allNamespaces ? {} : { namespace: session.namespace };
  const labels = selector === undefined ? {} : { labelSelector: selector };
  const { items } = await session.client.list(databases, { ...place, ...labels }, world.signal).catch((error: unknown) => {
    throw isApiError(error, "notFound") ? new Complaint(notServed) : error;
  });
  const text = asFormat(output, { apiVersion: "v1", kind: "List", items }, () => items.map((one) => `${nameOf(one)}\n`).join(""));
  if (text !== undefined) world.stdout.write(text);
  else if (items.length > 0)
    world.stdout.write(listTable(world.stdout, items, world.clock.now(), { allNamespaces, wide: output === "wide" }));
  else world.stderr.write(`no PostgresVDBs${allNamespaces ? "" : ` in namespace ${session.namespace}`}\n`);
  return 0;
}

interface ListShape {
  readonly allNamespaces: boolean;
  readonly wide: boolean;
}

/** Pure: the table, by namespace and name. */
export function listTable(
  output: Output,
  items: readonly PostgresVDB[],
  now: number,
  { allNamespaces, wide }: ListShape,
): string {
  const header = [
    ...(allNamespaces ? ["NAMESPACE"] : []),
    "NAME",
    "PHASE",
    "DATA AGE",
    "OWN",
    "PARENT",
    "AGE",
    ...(wide ? ["MODE", "ENDPOINT", "CLAIM", "DCT ID", "ACTION"] : []),
  ];
  const rows = items.map((vdb) => rowOf(vdb, now, { allNamespaces, wide }));
  return table(output, [header.map((text) => ({ text })), ...rows]);
}

function rowOf(vdb: PostgresVDB, now: number, { allNamespaces, wide }: ListShape): readonly Cell[] {
  const { metadata, spec, status } = vdb;
  const { phase, endpoint, pvcName, delphixID, activeAction } = status;
  const action = activeAction === undefined ? "-" : `${activeAction.kind} ${activeAction.name}`;
  return [
    ...(allNamespaces ? [{ text: metadata.namespace }] : []),
    { text: metadata.name },
    { text: phase, tone: toneOfPhase(phase) },
    { text: ageOf(status.dataTimestamp, now) },
    { text: status.ownBytes === undefined ? "-" : sizeText(status.ownBytes) },
    { text: parentOf(vdb) },
    { text: ageOf(metadata.creationTimestamp, now) },
    ...(wide ? [spec.mode, endpoint ?? "-", pvcName ?? "-", delphixID ?? "-", action].map((text) => ({ text })) : []),
  ];
}
