import type { IncomingMessage } from "node:http";
import { DecodeError, type Decoder } from "@vdb/dct";
import { badRequest, shown } from "../refusal.ts";
import { HttpError } from "./api-error.ts";

/** Enough for the longest filter expression with every character escaped, and for a provision with everything that it may carry. */
const largestBytes = 2 ** 19;

/** The JSON that came with a request, not yet decoded. */
export interface Body {
  decode<T>(decode: Decoder<T>): T;
}

export const bodyOf = (value: unknown): Body => ({
  decode: (decode) => {
    try {
      return decode(value, "body");
    } catch (error) {
      throw error instanceof DecodeError ? badRequest(error.message) : error;
    }
  },
});

export async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > largestBytes) throw new HttpError(413, "too_large", `a request body may have at most ${largestBytes} bytes`);
    chunks.push(bytes);
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  if (text.trim() === "") return bodyOf({});
  try {
    return bodyOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest(`the body is not JSON: ${shown(error.message)}`);
    throw error;
  }
}

/** Other bytes would come in as replacement characters: a name would be kept as nobody wrote it. */
function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw badRequest("the body is not UTF-8");
  }
}
