import type { Tokenizer } from "@huggingface/tokenizers";
import { decodeIds } from "./tokenizer.ts";

const REPLACEMENT = "\ufffd";

/**
 * The text of ids that come one by one. A character whose bytes are spread over several tokens is held back until it is whole,
 * and so is what may yet become one of the texts that end it.
 *
 * @example
 * const pieces = { 5: "a", 7: "b" };
 * const tokenizer = { decode: (ids) => ids.map((id) => pieces[id]).join("") };
 * const stream = new TextStream(tokenizer, [], ["ab"]);
 * stream.push(5); // ""
 * stream.push(5); // "a"
 * stream.push(7); // ""
 * stream.isEnded; // true
 */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #stops: readonly string[];
  /** Ids whose text is out, the last ones: what follows them is spelled as it is after them. */
  #before: readonly number[];
  /** Ids whose text is not, or not wholly. */
  #ids: number[] = [];
  /** Text that is whole and may begin a stop. */
  #held = "";
  #isEnded = false;

  /** @param prompt what the ids follow */
  constructor(
    tokenizer: Pick<Tokenizer, "decode">,
    prompt: readonly number[],
    stops: readonly string[] = [],
  ) {
    this.#tokenizer = tokenizer;
    this.#before = prompt.slice(-1);
    this.#stops = stops;
  }

  /** Whether a text that ends it has come; it is not part of what `push` gives. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The text that is certain once this id has come. */
  push(id: number): string {
    if (this.#isEnded) return "";
    this.#ids.push(id);
    const text = this.#added();
    // Bytes that are cut off are one such character, whole ones that are none are followed by something.
    if (text.endsWith(REPLACEMENT)) return "";
    this.#before = this.#ids.slice(-1);
    this.#ids = [];
    return this.#release(text);
  }

  /** What was held back, where no more ids come. */
  end(): string {
    if (this.#isEnded) return "";
    const text = this.#release(this.#ids.length > 0 ? this.#added() : "");
    const rest = this.#isEnded ? "" : this.#held;
    this.#isEnded = true;
    return text + rest;
  }

  /** What the waiting ids add to those before them. */
  #added(): string {
    const known = this.#decode(this.#before);
    const all = this.#decode([...this.#before, ...this.#ids]);
    return all.startsWith(known) ? all.slice(known.length) : this.#decode(this.#ids);
  }

  #decode(ids: readonly number[]): string {
    return ids.length === 0 ? "" : decodeIds(this.#tokenizer, ids);
  }

  #release(added: string): string {
    const text = this.#held + added;
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#isEnded = true;
      this.#held = "";
      return text.slice(0, Math.min(...found));
    }
    const held = Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - held);
    return text.slice(0, text.length - held);
  }
}

/** How many characters at the end of a text begin the other. */
function overlap(text: string, other: string): number {
  for (let n = Math.min(text.length, other.length - 1); n > 0; n--)
    if (text.endsWith(other.slice(0, n))) return n;
  return 0;
}
