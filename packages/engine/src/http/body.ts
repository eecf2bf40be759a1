import type { IncomingMessage } from "node:http";
import { DecodeError, type Decoder } from "@vdb/dct";
import { badRequest, HttpError } from "./api-error.ts";

const largestBytes = 2 ** 20;

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
    if (size > largestBytes) throw new HttpError(413, "too_large", `a request body may hold ${largestBytes} bytes`);
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString();
  if (text.trim() === "") return bodyOf({});
  try {
    return bodyOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest(`the body is not JSON: ${error.message}`);
    throw error;
  }
}
