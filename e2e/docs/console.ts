/** The commands that the documentation shows: a block of ```console, in which they begin with `$`. */
export interface Block {
  /** `page: first command`, by which tables name it. */
  readonly name: string;
  /** Without `$`, each whole: with its here-document, its loop or its continued lines. */
  readonly commands: readonly string[];
  /** All of it, with what the commands show. */
  readonly text: string;
}

export function consoleBlocks(page: string, text: string): readonly Block[] {
  return [...text.matchAll(/^( *)```console\n([\s\S]*?)^ *```/gmu)].map(([, indent = "", body = ""]) => {
    const lines = body.split("\n").map((line) => line.slice(indent.length));
    const commands = commandsIn(lines);
    return { name: `${page}: ${commands[0] ?? ""}`, commands, text: lines.join("\n") };
  });
}

function commandsIn(lines: readonly string[]): readonly string[] {
  const commands: string[] = [];
  let open: RegExp | undefined; // what ends the command that has begun
  for (const line of lines) {
    const isNew = open === undefined && line.startsWith("$ ");
    if (isNew) commands.push(line.slice(2));
    else if (open !== undefined) commands.push(`${commands.pop()}\n${line}`);
    if (isNew) open = endOf(line);
    else if (open?.test(line) === true) open = undefined;
  }
  return commands;
}

function endOf(line: string): RegExp | undefined {
  const [, word] = /<<(\w+)$/u.exec(line) ?? [];
  if (word !== undefined) return new RegExp(`^${word}$`, "u");
  return line.endsWith("; do") ? /^\s*done$/u : undefined;
}

/** As a script runs it: a port-forward is there when it listens, and so is what comes after it. */
export function runnable(command: string): string {
  const [, port] = / port-forward .*?(\d+):\d+.* &$/u.exec(command) ?? [];
  return port === undefined ? command : `${command}\nuntil (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do sleep 0.2; done`;
}
