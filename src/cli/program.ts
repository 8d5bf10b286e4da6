import { Command, CommanderError } from "commander";
import { HeedError, ShapeError, WorkerError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import { EXIT, Exit, type Io, version } from "./io.ts";
import { SUBCOMMANDS } from "./subcommands.ts";

/**
 * Runs one command line and gives its exit code. Only the subcommand that is named gets loaded: `heed --help`
 * knows the others by their one-line description, and answers at once.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const program = new Command("heed")
    .description("Attention mechanisms, and the picture of what they looked at.")
    .version(version(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command");
  const words = args.filter((arg) => !arg.startsWith("-"));
  const named = words[0] === "help" ? words[1] : words[0];
  for (const { group, name, description, load } of SUBCOMMANDS) {
    const command = name === named ? await load(io) : new Command(name).description(description);
    program.addCommand(command.helpGroup(group));
  }
  const refusals: string[] = [];
  prepare(program, io, refusals);
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    return explain(error, io, refusals, commandOf(program, words));
  }
}

/** Commander would print and exit by itself; here it throws, and every command says its errors the same way. */
function prepare(command: Command, io: Io, refusals: string[]): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => refusals.push(text),
    getOutHelpWidth: () => io.stdout.columns ?? 80,
  });
  for (const child of command.commands) prepare(child, io, refusals);
}

/** Says what went wrong in one line that begins with the command as it was typed, and gives the exit code. */
function explain(error: unknown, io: Io, refusals: string[], command: Command): number {
  const name = nameOf(command);
  if (error instanceof Exit) return error.code;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === "commander.help") {
      io.stderr.write(refusals.join(""));
      return EXIT.usage;
    }
    const problem = error.message
      .replace(/^error: /, "")
      .replace(/\.?\s*\n\s*/g, " ")
      .trim();
    io.stderr.write(`${name}: ${problem}${longFlag(problem, command)}; ${name} --help lists what it takes\n`);
    return EXIT.usage;
  }
  // Shapes come from heed's own code, never from a command line: as unexpected as an error of another class.
  if (error instanceof HeedError && !(error instanceof ShapeError)) {
    io.stderr.write(`${named(error, name).replace(/\s*\n\s*/g, " ")}\n`);
    return error instanceof WorkerError ? EXIT.unexpected : EXIT.usage;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.stderr.write(`${escapeControls(text)}\n`);
  return EXIT.unexpected;
}

/** The message with the command in place of the function that threw: nobody called that from a command line. */
function named({ message, details }: HeedError, command: string): string {
  const { op } = details as { op?: unknown };
  const isFunction = typeof op === "string" && !op.startsWith("heed") && message.startsWith(`${op}: `);
  return isFunction ? `${command}${message.slice((op as string).length)}` : message;
}

/** The command that was typed, down to its last subcommand. */
function commandOf(command: Command, [word, ...rest]: readonly string[]): Command {
  const child = command.commands.find((candidate) => candidate.name() === word);
  return child ? commandOf(child, rest) : command;
}

/** The words of a command: `heed data fetch`. */
const nameOf = (command: Command): string =>
  command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();

/** Flags have no short forms, which many try first: of `-o` the flags that begin so. */
function longFlag(problem: string, command: Command): string {
  const [, letter] = /unknown option '-(\w)'/.exec(problem) ?? [];
  const long = command.options.flatMap((option) => option.long ?? []).filter((flag) => flag[2] === letter);
  return letter && long.length > 0 ? ` (Did you mean ${long.join(" or ")}?)` : "";
}
