import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Where etcd and kube-apiserver are: $KUBE_BIN, else `.local/bin` here or above, else PATH. */
export function findKubeBinary(name: string): string {
  const folders = [
    process.env["KUBE_BIN"] ?? "",
    ...localFolders(process.cwd()),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  const found = folders.filter((folder) => folder !== "").find((folder) => isExecutable(join(folder, name)));
  if (found === undefined)
    throw new Error(`${name} was not found: set KUBE_BIN to the folder that holds etcd and kube-apiserver`);
  return join(found, name);
}

function localFolders(from: string): readonly string[] {
  const above = dirname(from);
  return [join(from, ".local/bin"), ...(above === from ? [] : localFolders(above))];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
