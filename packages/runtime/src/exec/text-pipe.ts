import { StringDecoder } from "node:string_decoder";

/** Bytes go in as they come, text comes out for one reader; a character is never cut in two. `onFull` asks for a pause. */
export interface TextPipe {
  readonly add: (bytes: Uint8Array) => void;
  /** With an error, the reader gets it after what came before. */
  readonly end: (error?: unknown) => void;
  readonly read: () => AsyncIterable<string>;
}

export function createTextPipe(limit: number, onFull: (full: boolean) => void): TextPipe {
  const decoder = new StringDecoder("utf8");
  const waiting: string[] = [];
  const state = { held: 0, full: false, over: false, error: undefined as unknown, wake: Promise.withResolvers<void>() };
  const wake = (): void => {
    state.wake.resolve();
    state.wake = Promise.withResolvers<void>();
  };
  const hold = (characters: number): void => {
    state.held += characters;
    const full = state.held > limit;
    if (full !== state.full) onFull(full);
    state.full = full;
  };
  const read = async function* (): AsyncGenerator<string> {
    for (;;) {
      const text = waiting.shift();
      if (text !== undefined) {
        hold(-text.length);
        yield text;
      } else if (!state.over) await state.wake.promise;
      else if (state.error !== undefined) throw state.error;
      else return;
    }
  };
  return {
    add: (bytes) => {
      const text = decoder.write(bytes);
      if (text !== "") {
        waiting.push(text);
        hold(text.length);
      }
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
