/** A machine's root that has some programs, what they link against, and nothing else: no repository, no node_modules. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

export interface BareMachine {
  readonly root: string;
  /** With the network of this machine, for its API server; `alone` has none. */
  readonly run: (
    words: readonly string[],
    network?: "alone",
  ) => { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string };
}

/** `programs` are files of this machine; each is put into /usr/bin under its key. A folder is put at its key as it is. */
export function makeBareMachine(root: string, programs: Readonly<Record<string, string>>, kubeconfig: string): BareMachine {
  mkdirSync(join(root, "proc"), { recursive: true }); // Node.js finds its own file there
  mkdirSync(join(root, "tmp"));
  copyFileSync(kubeconfig, join(root, "kubeconfig"));
  for (const [name, file] of Object.entries(programs)) {
    if (name.startsWith("/")) {
      cpSync(file, join(root, name), { recursive: true, verbatimSymlinks: true });
      continue;
    }
    place(root, realpathSync(file), `/usr/bin/${name}`);
    for (const library of librariesOf(file)) if (!existsSync(join(root, library))) place(root, library, library);
  }
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  const env = { PATH: process.env["PATH"], HOME: "/", KUBECONFIG: "/kubeconfig" };
  const inside = ["/usr/bin/env", "PATH=/usr/local/bin:/usr/bin"];
  return {
    root,
    run: (words, network) => {
      const own = network === "alone" ? ["--mount", "--net"] : ["--mount"];
      const options = { env, encoding: "utf8" } as const;
      const { status, stdout, stderr } = spawnSync("unshare", [...own, "sh", "-c", enter, root, ...inside, ...words], options);
      return { exitCode: status, stdout, stderr };
    },
  };
}

function place(root: string, file: string, target: string): void {
  mkdirSync(dirname(join(root, target)), { recursive: true });
  copyFileSync(file, join(root, target));
  chmodSync(join(root, target), 0o755);
}

/** As the loader finds them; a program that is not linked against any has none. */
function librariesOf(file: string): readonly string[] {
  try {
    const told = execFileSync("ldd", [file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return [...told.matchAll(/(\/\S+) \(0x/gu)].map(([, library = ""]) => library);
  } catch {
    return [];
  }
}
