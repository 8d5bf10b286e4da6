import { HeedError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import { finishRun } from "./finish-run.ts";
import { type Io, write } from "./io.ts";
import { type Drawings, OutputFiles, pageWithFigures } from "./output-files.ts";

/** What a command says of one file. */
export interface FileAnswer {
  /** For `--json`. */
  readonly object: object;
  readonly text: string;
  readonly drawings: Pick<Drawings, "svg" | "trace">;
}

interface Flags {
  json?: boolean;
  svg?: string;
  html?: string;
  trace?: string;
}

/** A run over many files: one that cannot be answered is said, leaves an empty line, and the others go on. */
export class FileWork {
  readonly #name: string;
  readonly #json: boolean;
  readonly #io: Io;
  readonly #files: OutputFiles;
  #count = 0;
  #failures = 0;

  /** @throws FileError UNWRITABLE, before any work is done */
  constructor(name: string, flags: Flags, io: Io) {
    this.#name = name;
    this.#json = flags.json ?? false;
    this.#io = io;
    this.#files = new OutputFiles(name, flags);
  }

  /** Answers one file, or one example where there is no file. */
  async take(file: string | undefined, answer: () => FileAnswer): Promise<void> {
    const { stdout, stderr } = this.#io;
    this.#count++;
    try {
      const { object, text, drawings } = answer();
      const named = file === undefined ? {} : { file };
      const label = file === undefined ? "" : `${escapeControls(file)}: `;
      await write(stdout, this.#json ? `${JSON.stringify({ ...named, ...object })}\n` : `${label}${text}\n`);
      await this.#files.add({ ...drawings, page: pageWithFigures });
    } catch (error) {
      if (!(error instanceof HeedError)) throw error;
      this.#failures++;
      const message = error.message.replace(/^\w+: /, "").replace(/\s*\n\s*/g, " ");
      const place = file === undefined || message.includes(file) ? "" : `${file}: `;
      stderr.write(`${this.#name}: ${escapeControls(place + message)}\n`);
      await write(stdout, this.#json ? `${JSON.stringify({ file, error: message })}\n` : "\n");
      await this.#files.add(undefined);
    }
  }

  /** Says what was drawn, and how many files could not be answered. @throws Exit where there was one */
  finish(): void {
    const io = this.#io;
    this.#files.finish(io);
    finishRun({ name: this.#name, io, count: this.#count, failures: this.#failures, noun: "file" });
  }
}
