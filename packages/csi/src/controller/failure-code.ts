import { status } from "@grpc/grpc-js";

/** DCT's errors have no code, only words. Too little free space is the one cause that the caller treats differently. */
const tooLittleSpace = /no room|no space|out of space|ENOSPC|not enough (?:free )?space|quota/iu;

/** The code for what DCT has refused, or failed at, with these words. */
export const codeOfFailure = (reason: string): status =>
  tooLittleSpace.test(reason) ? status.RESOURCE_EXHAUSTED : status.FAILED_PRECONDITION;
