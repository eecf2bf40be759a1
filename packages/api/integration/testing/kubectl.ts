import { execFile } from "node:child_process";

/** What a command printed, as a person would see it. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl against one API server, in a width and language that do not depend on who runs the tests. */
export const kubectlFor =
  (kubeconfig: string) =>
  async (args: readonly string[], input?: string): Promise<Printed> =>
    await run("kubectl", args, input, { ...process.env, KUBECONFIG: kubeconfig, KUBECTL_KUBERC: "false", LC_ALL: "C" });

export function run(command: string, args: readonly string[], input = "", env = process.env): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
