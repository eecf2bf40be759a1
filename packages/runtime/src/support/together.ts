/** Both, and only then what one of them throws: nothing of a run goes on after it. */
export async function together<A, B>(one: Promise<A>, other: Promise<B> | B): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return await Promise.all([one, other]);
}
