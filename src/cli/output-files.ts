import type { StandaloneOptions } from "../elements/standalone.ts";
import type { Trace } from "../inspect/index.ts";
import { PictureFiles } from "./pictures.ts";

interface OutputFlags {
  readonly svg?: string;
  readonly html?: string;
  readonly trace?: string;
}

/** How the files of one answer are made, each only where it is asked for; undefined where there is nothing to draw. */
export interface Drawings {
  svg(): string | undefined;
  trace(): Trace | undefined;
  /** How its page begins. */
  readonly page?: StandaloneOptions;
}

/** The files of `--svg`, `--html` and `--trace`, which are made beside what is printed. */
export class OutputFiles {
  readonly #svg: PictureFiles | undefined;
  readonly #html: PictureFiles | undefined;
  readonly #trace: PictureFiles | undefined;

  /** @throws FileError UNWRITABLE, before any work is done */
  constructor(command: string, { svg, html, trace }: OutputFlags) {
    const files = (file: string | undefined, noun: string) =>
      file === undefined ? undefined : new PictureFiles(file, command, noun);
    this.#svg = files(svg, "picture");
    this.#html = files(html, "page");
    this.#trace = files(trace, "trace");
  }

  /** Adds what is drawn of an answer; where there is none it keeps its number. */
  async add(drawings: Drawings | undefined): Promise<void> {
    this.#svg?.add(drawings?.svg());
    if (!this.#html && !this.#trace) return;
    const [{ writeTrace }, { standaloneHtml }] = await Promise.all([
      import("../inspect/index.ts"),
      import("../elements/standalone.ts"),
    ]);
    const trace = drawings?.trace();
    this.#trace?.add(trace && writeTrace(trace));
    this.#html?.add(trace && standaloneHtml(trace, drawings?.page));
  }

  /** Writes what still waits, and says what there is, a sentence for each kind. */
  finish(): string[] {
    const said = (files: PictureFiles | undefined, verb: string) =>
      files ? [`${verb} ${files.finish()}`] : [];
    return [...said(this.#svg, "drew"), ...said(this.#html, "wrote"), ...said(this.#trace, "wrote")];
  }
}
