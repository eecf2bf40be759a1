import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface SecretRef {
  readonly name: string;
  readonly key: string;
}

/** Secrets by their name. Read anew each time: a rotated one works at once. */
export interface Secrets {
  read(ref: SecretRef): Promise<string>;
  /** Without the newline that editors leave at its end. Throws, without its words, when no password can be what it holds. */
  readPassword(ref: SecretRef): Promise<string>;
}

/** Secrets mounted as folders of files. Names that Kubernetes allows cannot leave the folder; others are refused. */
export function mountedSecrets(folder: string): Secrets {
  const read: Secrets["read"] = async ({ name, key }) => {
    const wellFormed = [name, key].every((word) => /^[A-Za-z0-9._-]+$/u.test(word) && !/^\.+$/u.test(word));
    if (!wellFormed) throw new Error(`Secret "${name}", key "${key}": Kubernetes does not allow such a name`);
    return await readFile(join(folder, name, key), "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new Error(
        `cannot read key "${key}" of Secret "${name}" (${error.code}): create the key, or mount the Secret at ${join(folder, name)}`,
      );
    });
  };
  return {
    read,
    readPassword: async (ref) => {
      const password = (await read(ref)).replace(/\r?\n$/u, "");
      // Node would print it when it refuses to hand it to a program.
      if (hasControlCharacters(password))
        throw new Error(`key "${ref.key}" of Secret "${ref.name}" contains control characters: it is not a password`);
      return password;
    },
  };
}

export const hasControlCharacters = (text: string): boolean => /\p{Cc}/u.test(text);
