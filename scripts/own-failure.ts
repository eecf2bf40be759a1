/** What a `test:fail` event of node:test says of a test or a suite. */
export interface FailureDetails {
  readonly type?: string | undefined;
  readonly error: Error & { readonly failureType?: string };
}

/** Pure: whether it is a failure of its own. A suite fails with each of its tests, which are counted already, but also alone: in its hooks. */
export const isOwnFailure = ({ type, error }: FailureDetails): boolean =>
  type !== "suite" || error.failureType !== "subtestsFailed";
