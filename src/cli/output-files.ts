import type { StandaloneOptions } from "../elements/standalone.ts";
import type { Trace } from "../inspect/index.ts";
import type { Io } from "./io.ts";
import { PictureFiles } from "./pictures.ts";

interface OutputFlags {
  readonly svg?: string;
  readonly html?: string;
  readonly trace?: string;
}

/** How the files of one answer are made, each only where it is asked for; undefined where there is nothing to draw. */
export interface Drawings {
  svg(): string | undefined | Promise<string | undefined>;
  trace(): Trace | undefined | Promise<Trace | undefined>;
  /** How its page begins, and what stands on it beside its elements. */
  page?(trace: Trace): StandaloneOptions | Promise<StandaloneOptions>;
}

/** The files of `--svg`, `--html` and `--trace`, which are made beside what is printed. */
export class OutputFiles {
  readonly #command: string;
  readonly #svg: PictureFiles | undefined;
  readonly #html: PictureFiles | undefined;
  readonly #trace: PictureFiles | undefined;

  /** @throws FileError UNWRITABLE, before any work is done */
  constructor(command: string, { svg, html, trace }: OutputFlags) {
    const files = (file: string | undefined, noun: string) =>
      file === undefined ? undefined : new PictureFiles(file, command, noun);
    this.#command = command;
    this.#svg = files(svg, "picture");
    this.#html = files(html, "page");
    this.#trace = files(trace, "trace");
  }

  /** Adds what is drawn of an answer; where there is none it keeps its number. */
  async add(drawings: Drawings | undefined): Promise<void> {
    if (this.#svg) this.#svg.add(await drawings?.svg());
    if (!this.#html && !this.#trace) return;
    const trace = await drawings?.trace();
    if (this.#trace) {
      const { writeTrace } = await import("../inspect/index.ts");
      this.#trace.add(trace && writeTrace(trace));
    }
    if (this.#html) {
      const { standaloneHtml } = await import("../elements/standalone.ts");
      this.#html.add(trace && standaloneHtml(trace, await drawings?.page?.(trace)));
    }
  }

  /** Writes what still waits, and says on standard error what there is, a line for each kind. */
  finish({ stderr }: Io): void {
    for (const [files, verb] of [
      [this.#svg, "drew"],
      [this.#html, "wrote"],
      [this.#trace, "wrote"],
    ] as const)
      if (files) stderr.write(`${this.#command}: ${verb} ${files.finish()}\n`);
  }
}

/** A page with the pictures that its elements do not draw: gates and glimpses. */
export async function pageWithFigures(trace: Trace): Promise<StandaloneOptions> {
  const { pageFigures } = await import("../views/index.ts");
  return { figures: pageFigures(trace) };
}
