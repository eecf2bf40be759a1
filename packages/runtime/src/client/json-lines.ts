const newline = 0x0a;

/** One JSON value a line, as a watch sends them. A line cut off by the end of the stream is an error. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator {
  let rest: readonly Uint8Array[] = [];
  for await (const chunk of body) {
    let from = 0;
    for (let at = chunk.indexOf(newline, from); at !== -1; at = chunk.indexOf(newline, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, at)]).toString("utf8");
      rest = [];
      from = at + 1;
      if (line !== "") yield parsed(line);
    }
    if (from < chunk.length) rest = [...rest, chunk.subarray(from)];
  }
  if (rest.length > 0) throw new Error("the stream ended in the middle of a line");
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    throw new Error("a line of the answer is not JSON"); // the engine's own message quotes it, and it may hold a Secret
  }
}
