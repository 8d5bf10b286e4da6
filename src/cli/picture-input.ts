import { HeedError, UsageError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import { type RgbaPicture, readPicture } from "../data/pictures/index.ts";
import { checkOnePlace } from "./flags.ts";
import type { Io } from "./io.ts";
import { LineInput } from "./line-input.ts";

/** A picture that a command was given, by its file; or why it cannot be read, which was said already. */
export type GivenPicture = { readonly file: string } & (
  | { readonly picture: RgbaPicture; readonly error?: undefined }
  | { readonly picture?: undefined; readonly error: string }
);

/**
 * The pictures that a command works on: files among its arguments, or where there are none the paths in a file (`--input`) or on
 * standard input, one a line. A picture that cannot be read is named on standard error and handed on with its error; the
 * others go on, and the command ends with exit code 2 where `failures` is above 0.
 */
export class PictureInput {
  /** Pictures so far. */
  count = 0;
  /** Pictures so far that could not be read. */
  failures = 0;
  readonly #command: string;
  readonly #io: Io;
  readonly #files: readonly string[];
  readonly #lines: LineInput;

  /**
   * Nothing is read before `batches`.
   *
   * @throws UsageError USAGE for files among the arguments and `--input` too · FileError UNREADABLE
   */
  constructor(command: string, io: Io, files: readonly string[], input?: string) {
    checkOnePlace(command, "pictures", files, input);
    this.#command = command;
    this.#io = io;
    this.#files = files;
    this.#lines = new LineInput(command, io, files, { file: input });
  }

  /** Whether somebody chose what is read, even if there is nothing in it. */
  get isChosen(): boolean {
    return this.#lines.isChosen;
  }

  /**
   * Batches of at most `size` pictures in their order, each read when it is asked for.
   *
   * @throws FileError UNREADABLE for the list itself
   */
  async *batches(size: number): AsyncGenerator<GivenPicture[]> {
    // A file's name may hold line ends, so that arguments are not cut into lines.
    if (this.#files.length > 0) yield* this.#inBatches(this.#files, size, "picture");
    else for await (const lines of this.#lines.batches(size)) yield* this.#inBatches(lines, size, "line");
  }

  /** Says that something came on standard input which nobody read. */
  finish(): void {
    this.#lines.finish("pictures");
  }

  async *#inBatches(files: readonly string[], size: number, noun: "line" | "picture") {
    const isAlone = noun === "picture" && files.length === 1;
    for (let from = 0; from < files.length; from += size) {
      const batch: GivenPicture[] = [];
      for (const file of files.slice(from, from + size)) {
        this.count++;
        batch.push(await this.#read(file, isAlone ? "" : `${noun} ${this.count}: `));
      }
      yield batch;
    }
  }

  async #read(file: string, place: string): Promise<GivenPicture> {
    try {
      if (file === "") {
        const rule = "each line must be the path of a PNG or JPEG picture";
        throw new UsageError("USAGE", { op: this.#command, rule, got: "an empty one", remedy: "write one" });
      }
      return { file, picture: await readPicture(file) };
    } catch (error) {
      if (!(error instanceof HeedError)) throw error;
      const { rule, got, remedy } = error.details;
      const said = escapeControls(`${rule}, got ${String(got)}; ${remedy}`).replace(/\s*[\n\t]\s*/g, " ");
      this.refuse(place, said);
      return { file, error: said };
    }
  }

  /** Says why a picture gets no answer, and counts it. */
  refuse(place: string, why: string): void {
    this.failures++;
    this.#io.stderr.write(`${this.#command}: ${place}${why}\n`);
  }
}
