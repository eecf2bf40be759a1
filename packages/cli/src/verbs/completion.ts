import { actionKinds } from "@vdb/api";
import type { Command, Option } from "commander";
import { databases } from "../cluster/databases.ts";
import { openSession } from "../cluster/session.ts";
import type { ConnectionFlags, World } from "../world.ts";
import type { End } from "./options.ts";

/** The name under which kubectl looks for the completion of a plugin called vdb. */
const helper = "kubectl_complete-vdb";

/** kubectl's word for: these are all, and no file names. */
const noFiles = ":4";

export function defineCompletion(program: Command, world: World, end: End): void {
  program
    .command("completion")
    .description(`print the program ${helper}, by which kubectl completes the verbs, flags and databases of this plugin`)
    .addHelpText(
      "after",
      `\nkubectl vdb completion >~/.local/bin/${helper}; chmod +x ~/.local/bin/${helper}\nThe shell needs kubectl's own completion: kubectl completion --help`,
    )
    .action(() => {
      world.stdout.write(
        `#!/bin/sh\n# kubectl asks this program to complete kubectl vdb.\nexec kubectl-vdb ${completeWord} "$@"\n`,
      );
      end(0);
    });
}

/** The hidden word by which the helper asks. It is no verb: its words may be flags of any verb, and half typed. */
export const completeWord = "__complete";

export async function complete(program: Command, words: readonly string[], world: World): Promise<void> {
  const found = await completionsOf(program, words, (flags) => namesOf(world, flags));
  world.stdout.write([...found, noFiles].map((word) => `${word}\n`).join(""));
}

/** A completion that fails must not be heard of: it would be in the middle of what the user types. */
async function namesOf(world: World, flags: ConnectionFlags): Promise<readonly string[]> {
  try {
    await using session = await openSession(world, flags);
    const { items } = await session.client.list(databases, { namespace: session.namespace }, world.signal);
    return items.map(({ metadata }) => metadata.name);
  } catch {
    return [];
  }
}

/** What may stand in the place of the last word. `names` asks for databases. */
export async function completionsOf(
  program: Command,
  words: readonly string[],
  names: (flags: ConnectionFlags) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const { commands: verbs } = program;
  const own = program.options;
  const verb = verbs.find(
    (command) => positionals(before, [...own, ...verbs.flatMap(({ options }) => options)])[0] === command.name(),
  );
  const known = [...(verb?.options ?? []), ...own];
  const choices = choicesOf(known, before.at(-1) ?? "");
  if (choices !== undefined) return choices.filter((choice) => choice.startsWith(last));
  if (last.startsWith("-")) return flagsOf(known).filter((flag) => flag.startsWith(last));
  if (verb === undefined) return verbs.map((command) => command.name()).filter((name) => name.startsWith(last));
  const argument = verb.registeredArguments[positionals(before, known).length - 1];
  if (argument?.argChoices !== undefined) return argument.argChoices.filter((choice) => choice.startsWith(last));
  if (argument === undefined || !["database", "what"].includes(argument.name())) return [];
  const kinds = verb.name() === "wait" ? actionKinds.map(({ kind }) => `${kind.toLowerCase()}/`) : [];
  return [...(await names(flagsIn(before))), ...kinds].filter((name) => name.startsWith(last));
}

/** The words that are neither flags nor their values: the verb and its arguments. */
function positionals(words: readonly string[], options: readonly Option[]): readonly string[] {
  return words.filter((word, at) => !word.startsWith("-") && choicesOf(options, words[at - 1] ?? "") === undefined);
}

const flagsOf = (options: readonly Option[]): readonly string[] =>
  options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long])).toSorted();

/** After a flag that takes a value: its choices, none if it has no list of them. Undefined: the word before is no such flag. */
function choicesOf(options: readonly Option[], word: string): readonly string[] | undefined {
  const option = options.find(({ short, long }) => word !== "" && (word === short || word === long));
  return option === undefined || !option.required ? undefined : (option.argChoices ?? []);
}

function flagsIn(words: readonly string[]): ConnectionFlags {
  const after = (...names: readonly string[]): string | undefined => {
    const at = words.findIndex((word) => names.includes(word));
    return at === -1 ? undefined : words[at + 1];
  };
  const given = {
    namespace: after("-n", "--namespace"),
    context: after("--context"),
    kubeconfig: after("--kubeconfig"),
    as: after("--as"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
