/**
 * What psql or a shell says about the line of a hook's text, without the path that the text has in the pod: `line 3: …`. What
 * psql says of a socket, which is the same in all pods, goes too.
 */
export function withoutPaths(text: string): string {
  return text
    .replaceAll(/^(?:psql:)?\/\S*\/hooks\/[^\s/]+\/text:(?: line)? ?(\d+): /gmu, "line $1: ")
    .replaceAll(/^psql:\/\S*\/hooks\/[^\s/]+\/check:\d+: /gmu, "")
    .replaceAll(/^psql: error: connection to server on socket ".*?" failed: /gmu, "");
}

/**
 * psql says SQLSTATEs only together with the place in PostgreSQL's own source, which helps nobody here; and notices that mean
 * nothing by theirs are as psql says them otherwise.
 */
export function plainErrors(text: string): string {
  return text
    .replaceAll(/^LOCATION: {2}\w+, \w+\.[chly]:\d+\n?/gmu, "")
    .replaceAll(/^((?:psql:|line \d+: )?(?:NOTICE|INFO|LOG|DEBUG): {2})00000: /gmu, "$1");
}

/** The same of the operator's own statements; what was said at several tries is said once. */
export function plainWords(text: string): string {
  const lines = withoutPaths(text)
    .replaceAll(/^psql:(?:<stdin>:\d+:)? ?(?:error: )?/gmu, "")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  return [...new Set(lines)].join("\n");
}
