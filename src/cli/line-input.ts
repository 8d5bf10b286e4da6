import { createReadStream, fstatSync } from "node:fs";
import { FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { unreadable } from "./flags.ts";
import type { Io } from "./io.ts";
import { argumentLines, lineBatches } from "./lines.ts";

interface LineInputOptions {
  /** Asks a person at a terminal. @default nothing is asked, and nothing read from a terminal */
  prompt?: string;
  /** Read instead of standard input. */
  file?: string | undefined;
}

/** The lines that a command works on: its arguments, or where there are none a file or standard input. */
export class LineInput {
  readonly #command: string;
  readonly #io: Io;
  readonly #texts: readonly string[];
  readonly #file: string | undefined;
  readonly #isAsked: boolean;
  readonly #arrived: () => boolean;

  /**
   * No line is read before `batches`.
   *
   * @throws FileError UNREADABLE
   */
  constructor(command: string, io: Io, texts: readonly string[], { prompt, file }: LineInputOptions = {}) {
    this.#command = command;
    this.#io = io;
    this.#texts = texts;
    this.#file = file;
    this.#isAsked = prompt !== undefined;
    const isGiven = texts.length > 0 || file !== undefined;
    const { stdin } = io;
    // Node reads a folder as if it were empty, which would look like a success.
    if (!isGiven && stdin.fd !== undefined && fstatSync(stdin.fd).isDirectory()) {
      throw new FileError("UNREADABLE", unreadable(command, "standard input", "a folder"));
    }
    if (!isGiven && stdin.isTTY && this.#isAsked) io.stderr.write(`${prompt}\n`);
    this.#arrived = isGiven && !stdin.isTTY ? watch(stdin) : () => false;
  }

  /** Whether somebody chose what is read: words, or a file, which may be empty on purpose. */
  get isChosen(): boolean {
    const { stdin } = this.#io;
    const isFile = stdin.fd !== undefined && fstatSync(stdin.fd).isFile();
    return this.#texts.length > 0 || this.#file !== undefined || isFile;
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
    if (this.#file === undefined && this.#io.stdin.isTTY && !this.#isAsked) return;
    for await (const { lines, broken } of lineBatches(this.#bytes(), size)) {
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
    const [given, them] = this.#file === undefined ? [`${what} were`, "them"] : ["a file was", "it"];
    this.#io.stderr.write(
      `${this.#command}: standard input was not read, as ${given} given; leave ${them} out to read it\n`,
    );
  }

  /** Standard input that fails (a terminal that is gone) is the person's to mend, like any other file. */
  async *#bytes(): AsyncGenerator<Uint8Array> {
    const file = this.#file;
    try {
      yield* file === undefined ? this.#io.stdin : createReadStream(file);
    } catch (cause) {
      const fault = unreadable(this.#command, file ?? "standard input", fileReason(cause));
      throw new FileError("UNREADABLE", fault, { cause });
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
