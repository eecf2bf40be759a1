import { StringDecoder } from "node:string_decoder";

/** Bytes go in as they come, text comes out for one reader; a character is never cut in two. */
export interface TextPipe {
  readonly add: (bytes: Uint8Array) => void;
  /** With an error, the reader gets it after what came before. */
  readonly end: (error?: unknown) => void;
  readonly read: () => AsyncIterable<string>;
}

export function createTextPipe(): TextPipe {
  const decoder = new StringDecoder("utf8");
  const waiting: string[] = [];
  const state = { over: false, error: undefined as unknown, wake: Promise.withResolvers<void>() };
  const wake = (): void => {
    state.wake.resolve();
    state.wake = Promise.withResolvers<void>();
  };
  const read = async function* (): AsyncGenerator<string> {
    for (;;) {
      const text = waiting.shift();
      if (text !== undefined) yield text;
      else if (!state.over) await state.wake.promise;
      else if (state.error !== undefined) throw state.error;
      else return;
    }
  };
  return {
    add: (bytes) => {
      const text = decoder.write(bytes);
      if (text !== "") waiting.push(text);
      wake();
    },
    end: (error) => {
      state.over = true;
      state.error = error;
      wake();
    },
    read,
  };
}
