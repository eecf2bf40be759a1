import { execFile } from "node:child_process";

export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly stderr: string;
  constructor(program: string, status: string, stderr: string) {
    super(`${program}: ${lastLine(stderr) || status}`);
    this.stderr = stderr;
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.trim() ?? "";

export interface CommandOptions {
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end, without a shell; answers its standard output, throws `CommandFailed` with its last words. */
export function runCommand(program: string, args: readonly string[], { signal, env }: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      env: { ...baseEnvironment(), ...env },
      ...(signal === undefined ? {} : { signal }),
    } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (signal?.aborted === true) reject(signal.reason);
      else if (error.code === "ENOENT") reject(new CommandFailed(program, "the program is not installed", ""));
      else reject(new CommandFailed(program, `ended with ${error.code ?? error.signal ?? "an unknown status"}`, stderr));
    });
  });
}

/** Programs answer in English, whatever the machine's language: their words are read. Nothing else is passed on. */
export function baseEnvironment(): Record<string, string> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", LANG: "C" };
}
