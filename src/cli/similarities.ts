import { UsageError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import { cosine } from "../tasks/pretrained/pooling.ts";
import { displayWidth, fitColumns, truncate } from "../viz/width.ts";

/** Texts that are compared with one another: as many again to the square. */
export const MOST_COMPARED = 1000;
/** Texts of a table, which has a column for each. */
const MOST_IN_TABLE = 12;
const DEFAULT_COLUMNS = 80;
/** Of a table: `-0.12` and a space. */
const CELL = 6;
const LEAST_TEXT = 12;

interface Compared {
  readonly text: string;
  /** Undefined where the text could not be embedded. */
  readonly embedding: Float32Array | undefined;
}

/** How much alike texts are, for people. */
export class Similarities {
  readonly #command: string;
  readonly #all: Compared[] = [];

  constructor(command: string) {
    this.#command = command;
  }

  /** @throws UsageError USAGE where there are too many */
  add(text: string, embedding: Float32Array | undefined): void {
    if (this.#all.length === MOST_COMPARED) {
      const rule = `at most ${MOST_COMPARED} texts can be compared with one another`;
      throw new UsageError("USAGE", { op: this.#command, rule, got: "more", remedy: "give --json" });
    }
    this.#all.push({ text: escapeControls(text).replaceAll(/[\n\t]/g, " "), embedding });
  }

  /** A table of all pairs, the nearest text of each where they are many, or the first numbers of one alone. */
  text(columns = DEFAULT_COLUMNS): string {
    if (this.#all.length === 0) return "";
    if (this.#all.length === 1) return this.#alone();
    return this.#all.length <= MOST_IN_TABLE ? this.#table(columns) : this.#nearest(columns);
  }

  #alone(): string {
    const { text, embedding } = this.#all[0]!;
    if (!embedding) return `${text}\n`;
    const first = Array.from(embedding.subarray(0, 6), (value) => value.toFixed(4)).join(" ");
    const norm = Math.hypot(...embedding).toFixed(4);
    return `${text}\n  ${embedding.length} numbers of length ${norm}: ${first} …\n`;
  }

  #table(columns: number): string {
    const all = this.#all;
    const width = Math.max(LEAST_TEXT, columns - 4 - CELL * all.length);
    const longest = Math.max(...all.map(({ text }) => displayWidth(text)));
    const head = all.map((_, n) => String(n + 1).padStart(CELL)).join("");
    const rows = all.map((one, n) => {
      const cells = all.map((other) => this.#cell(one, other)).join("");
      return `${String(n + 1).padStart(2)}  ${fitColumns(one.text, Math.min(width, longest))}${cells}\n`;
    });
    return `    ${" ".repeat(Math.min(width, longest))}${head}\n${rows.join("")}`;
  }

  #cell(one: Compared, other: Compared): string {
    if (!one.embedding || !other.embedding) return "–".padStart(CELL);
    return cosine(one.embedding, other.embedding).toFixed(2).padStart(CELL);
  }

  #nearest(columns: number): string {
    const width = Math.max(LEAST_TEXT, Math.floor((columns - 2 - CELL) / 2));
    const lines = this.#all.map((one, n) => {
      let [best, at] = [-Infinity, -1];
      for (const [m, other] of this.#all.entries()) {
        if (m === n || !one.embedding || !other.embedding) continue;
        const value = cosine(one.embedding, other.embedding);
        if (value > best) [best, at] = [value, m];
      }
      const other = this.#all[at];
      const found = other ? `${best.toFixed(2)}  ${truncate(other.text, width)}` : "–";
      return `${fitColumns(one.text, width)}  ${found}\n`;
    });
    return lines.join("");
  }
}
