/** What an unknown thrown value says, for people: never a stack trace. */
export function errorMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(errorMessage).join("; ");
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return String(error);
}
