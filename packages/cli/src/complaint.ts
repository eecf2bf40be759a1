/** What a command has to say instead of its result: one sentence, and below it what to do. */
export class Complaint extends Error {
  override readonly name = "Complaint";
  readonly advice: readonly string[];
  readonly exitCode: number;

  constructor(message: string, advice: readonly string[] = [], exitCode = 1) {
    super(message);
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

/** As timeout(1) has it: a script can tell "failed" from "not yet". */
export const notInTime = 124;
/** As a shell tells of a program that Ctrl-C has ended. */
export const interrupted = 130;
