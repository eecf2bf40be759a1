/** Nothing happens to a cluster of the user's before its owner has read what will, and said yes. */
import process from "node:process";
import { createInterface } from "node:readline/promises";

/** Asks on the terminal; where there is none only YES=1 is an answer. */
export async function agreed(question: string): Promise<boolean> {
  if (process.env["YES"] === "1") return true;
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} Type yes: `);
  terminal.close();
  return answer.trim() === "yes";
}
