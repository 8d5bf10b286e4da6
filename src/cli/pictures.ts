import { statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { unwritable } from "./flags.ts";

/**
 * What is drawn of each sentence: the pictures of `--svg FILE`, the traces of `--trace FILE`. One sentence goes to FILE; several go to FILE-1, FILE-2, … before the
 * extension, numbered as the sentences are. How many there will be is known only when the input ends, so the
 * first one waits for the second sentence, or for the end.
 */
export class PictureFiles {
  readonly #file: string;
  readonly #command: string;
  readonly #noun: string;
  #first: string | Uint8Array | undefined;
  #sentences = 0;
  #written = 0;
  #last = "";

  /** Throws when the file cannot be made, before any work is done for it. */
  constructor(file: string, command: string, noun = "picture") {
    this.#file = file;
    this.#noun = noun;
    this.#command = command;
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) this.#refuse(file, "a folder");
    const folder = path.dirname(file);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      this.#refuse(file, `no folder ${folder}`);
  }

  /** An empty sentence has nothing to draw (undefined), and keeps its number. */
  add(contents: string | Uint8Array | undefined): void {
    this.#sentences++;
    if (this.#sentences === 1) {
      this.#first = contents;
      return;
    }
    if (this.#first) this.#write(this.#first, this.#numbered(1));
    this.#first = undefined;
    if (contents) this.#write(contents, this.#numbered(this.#sentences));
  }

  /** Writes what still waits, and says what was drawn: `tired.svg`, or `3 pictures, the last one tired-3.svg`. */
  finish(): string {
    if (this.#first) this.#write(this.#first, this.#file);
    if (this.#written < 2) return this.#last || `no ${this.#noun}, for there was no word to draw`;
    return `${this.#written} ${this.#noun}s, the last one ${this.#last}`;
  }

  #numbered(number: number): string {
    const { dir, name, ext } = path.parse(this.#file);
    return path.join(dir, `${name}-${number}${ext}`);
  }

  #write(contents: string | Uint8Array, file: string): void {
    try {
      writeFileSync(file, contents);
    } catch (error) {
      this.#refuse(file, fileReason(error));
    }
    this.#written++;
    this.#last = file;
  }

  #refuse(file: string, reason: string): never {
    throw new FileError("UNWRITABLE", unwritable(this.#command, file, reason));
  }
}
