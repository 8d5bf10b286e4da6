import { fstatSync } from "node:fs";
import { FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { unreadable } from "./flags.ts";
import type { Io } from "./io.ts";
import { argumentLines, lineBatches } from "./lines.ts";

/** The lines that a command works on: its arguments, or where there are none standard input. */
export class LineInput {
  readonly #command: string;
  readonly #io: Io;
  readonly #texts: readonly string[];
  readonly #arrived: () => boolean;

  /**
   * Asks a person at a terminal with `prompt`; no line is read before `batches`.
   *
   * @throws FileError UNREADABLE
   */
  constructor(command: string, io: Io, texts: readonly string[], prompt: string) {
    this.#command = command;
    this.#io = io;
    this.#texts = texts;
    const isGiven = texts.length > 0;
    const { stdin } = io;
    // Node reads a folder as if it were empty, which would look like a success.
    if (!isGiven && stdin.fd !== undefined && fstatSync(stdin.fd).isDirectory()) {
      throw new FileError("UNREADABLE", unreadable(command, "standard input", "a folder"));
    }
    if (!isGiven && stdin.isTTY) io.stderr.write(`${prompt}\n`);
    this.#arrived = isGiven && !stdin.isTTY ? watch(stdin) : () => false;
  }

  /**
   * Batches of at most `size` lines, all arguments in one; says which of them were broken.
   *
   * @throws FileError UNREADABLE
   */
  async *batches(size: number): AsyncGenerator<string[]> {
    if (this.#texts.length > 0) {
      yield argumentLines(this.#texts);
      return;
    }
    for await (const { lines, broken } of lineBatches(this.#standardInput(), size)) {
      for (const line of broken) {
        this.#io.stderr.write(
          `${this.#command}: line ${line} is not UTF-8; its broken bytes are read as U+FFFD\n`,
        );
      }
      yield lines;
    }
  }

  /** Says that something came which nobody read. */
  finish(what: string): void {
    if (!this.#arrived()) return;
    this.#io.stderr.write(
      `${this.#command}: standard input was not read, as ${what} were given; leave them out to read it\n`,
    );
  }

  /** Standard input that fails (a terminal that is gone) is the person's to mend, like any other file. */
  async *#standardInput(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#io.stdin;
    } catch (cause) {
      const reason = fileReason(cause);
      throw new FileError("UNREADABLE", unreadable(this.#command, "standard input", reason), { cause });
    }
  }
}

/**
 * Whether something has come on a standard input that nobody reads: a file or a full pipe, not one that a program merely
 * left open. The process need not wait for more.
 */
function watch(stdin: Io["stdin"]): () => boolean {
  let hasCome = false;
  const see = async () => {
    hasCome = !(await stdin[Symbol.asyncIterator]().next()).done;
  };
  see().catch(() => {});
  (stdin as { unref?(): void }).unref?.();
  return () => hasCome;
}
