import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface SecretRef {
  readonly name: string;
  readonly key: string;
}

/** Passwords by the name of their Secret. Read anew each time: a rotated one works at once. */
export interface Secrets {
  read(ref: SecretRef): Promise<string>;
}

/** Secrets mounted as folders of files. Names that Kubernetes allows cannot leave the folder; others are refused. */
export function mountedSecrets(folder: string): Secrets {
  return {
    read: async ({ name, key }) => {
      const wellFormed = [name, key].every((word) => /^[A-Za-z0-9._-]+$/u.test(word) && !/^\.+$/u.test(word));
      if (!wellFormed) throw new Error(`Secret "${name}", key "${key}": not a name that Kubernetes allows`);
      const value = await readFile(join(folder, name, key), "utf8").catch((error: NodeJS.ErrnoException) => {
        throw new Error(
          `key "${key}" of Secret "${name}" is not there (${error.code}): create it, or mount it at ${join(folder, name)}`,
        );
      });
      return value.replace(/\r?\n$/u, "");
    },
  };
}
