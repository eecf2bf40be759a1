import { spawn } from "node:child_process";

export type CommandResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };
export type CommandOptions = {
  readonly input?: string;
  /** Beside the caller's own environment; undefined takes a variable out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Ends the command with SIGTERM. */
  readonly signal?: AbortSignal;
  /** Called with each line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
};

/** Runs a command to its end and gives back what it printed; never rejects because of its exit status. */
export function tryRun(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stop = (): void => void child.kill("SIGTERM");
    options.signal?.addEventListener("abort", stop, { once: true });
    let stdout = "";
    let stderr = "";
    let pending = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      const lines = (pending + chunk).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      options.signal?.removeEventListener("abort", stop);
      resolve({ exitCode: code ?? 1, stdout, stderr });
    });
    // A command that ends before it read its input is judged by its exit status, not by the broken pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** As tryRun, but a non-zero exit status is an error that holds the end of what the command said. Returns standard output, trimmed. */
export async function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await tryRun(command, args, options);
  if (exitCode !== 0) {
    const said = (stderr.trim() === "" ? stdout : stderr).trim().split("\n").slice(-15).join("\n");
    throw new Error(`${command} ${args.slice(0, 6).join(" ")} … ended with status ${exitCode}:\n${said}`);
  }
  return stdout.trim();
}
