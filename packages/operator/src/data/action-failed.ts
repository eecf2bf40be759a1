/** This action cannot succeed any more; nothing was begun by the call that throws this. */
export class ActionFailed extends Error {
  override readonly name = "ActionFailed";
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
