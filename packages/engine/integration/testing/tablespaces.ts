/** Tablespaces of a source, in a folder that nobody else sees as its server does. */
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cloneOwner, type Server } from "./postgres.ts";
import type { Scratch } from "./scratch.ts";

/** For `unseen` of `startSource`: as inviting as can be to whoever follows a path of the source here. */
export function unseenPlace(scratch: Scratch): string {
  const place = join(scratch.path, "space");
  mkdirSync(place);
  chownSync(place, cloneOwner, cloneOwner);
  chmodSync(place, 0o777);
  return place;
}

export function makeTablespace(source: Server, place: string, name: string): void {
  source.sql(`COPY (SELECT) TO PROGRAM 'cat >/dev/null && mkdir "${place}/${name}"'`);
  source.sql(`CREATE TABLESPACE ${name} LOCATION '${place}/${name}'`);
}
