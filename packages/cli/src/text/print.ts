import type { KubeObject } from "kube-runtime";
import { stringify } from "yaml";

/** What `-o` may be; without it a command prints what people read. */
export const formats = ["json", "yaml", "name", "wide"] as const;
export type Format = (typeof formats)[number];

export interface Printable extends Pick<KubeObject, "apiVersion" | "kind"> {
  readonly metadata: { readonly name: string };
  readonly spec?: object;
}

/** An object as `-o json`, `yaml` or `name` has it; undefined where the command has a text of its own. */
export function asFormat(format: Format | undefined, object: object, name: () => string): string | undefined {
  switch (format) {
    case "json":
      return `${JSON.stringify(object, undefined, 4)}\n`;
    case "yaml":
      return stringify(object, { lineWidth: 0 });
    case "name":
      return name();
    case "wide":
    case undefined:
      return undefined;
    default:
      return format satisfies never;
  }
}

/** `vdbrefresh.actions.delphix.com/orders-refresh-x7k2p`, which kubectl and `wait` take. */
export const nameOf = ({ apiVersion, kind, metadata }: Printable): string =>
  `${kind.toLowerCase()}.${apiVersion.split("/")[0] ?? ""}/${metadata.name}`;
