import { DataError } from "../core/errors.ts";
import { END, SPECIAL_PIECES, UNKNOWN } from "../data/bpe.ts";
import { type ModelReader, VOCABULARY } from "./model-files.ts";

const FORMAT = "heed-words-1";
/** Letters and digits, with single apostrophes, points and commas inside: don't, 0.815, U.S. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['.,](?=[\p{L}\p{N}])[\p{L}\p{M}\p{N}]+)*/gu;
const IS_WORD = /^[\p{L}\p{M}\p{N}]/u;

/**
 * Cuts normalised text into words and what stands between them. A single space goes without saying, everything else is
 * a token as it is written, spaces included, so that `joinWords` gives the text back.
 *
 * @example
 * splitWords("DNN-based, at 0.8"); // ["DNN", "-", "based", ", ", "at", "0.8"]
 */
export function splitWords(text: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const gap = text.slice(end, index);
    if (gap !== "" && (gap !== " " || tokens.length === 0)) tokens.push(gap);
    tokens.push(word);
    end = index + word.length;
  }
  if (end < text.length) tokens.push(text.slice(end));
  return tokens;
}

/** Whether a token is a word, and not what stands between two. */
export const isWord = (token: string | undefined): boolean => token !== undefined && IS_WORD.test(token);

/** The text of tokens, with a space between two words. */
export function joinWords(tokens: readonly string[]): string {
  return tokens.map((token, n) => (isWord(tokens[n - 1]) && isWord(token) ? ` ${token}` : token)).join("");
}

/** A source as a pointer-generator reads it. */
export interface EncodedSource {
  /** Words of the vocabulary by their numbers, the source's own from V on, numbered as they come. */
  readonly ids: number[];
  /** The source's own words: `own[k]` has the number V + k. */
  readonly own: readonly string[];
}

export interface WordsJson {
  readonly format: string;
  /** In order of their numbers, after the four special ones. */
  readonly words: readonly string[];
}

/**
 * The vocabulary of a pointer-generator: words in lower case. What it lacks of a source is numbered from V on, source by
 * source, so that it can be copied.
 *
 * @example
 * const vocabulary = WordVocabulary.of([["a", "cat"], ["a", "dog"]], 6); // a and cat
 * const { ids, own } = vocabulary.source(["A", "dog"]); // [4, 6], ["dog"]
 * vocabulary.target(["dog", "bird"], own); // [6, 3, 2]
 */
export class WordVocabulary {
  readonly #words: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  private constructor(words: readonly string[]) {
    this.#words = words;
    this.#ids = new Map(words.map((word, n) => [word, SPECIAL_PIECES.length + n]));
  }

  /** The most frequent tokens, of equally frequent ones the first by code units; `size` counts the four special ones. */
  static of(texts: Iterable<readonly string[]>, size: number): WordVocabulary {
    const counts = new Map<string, number>();
    for (const tokens of texts)
      for (const token of tokens) counts.set(token.toLowerCase(), (counts.get(token.toLowerCase()) ?? 0) + 1);
    const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return new WordVocabulary(
      ranked.slice(0, Math.max(0, size - SPECIAL_PIECES.length)).map(([word]) => word),
    );
  }

  /** @throws DataError FORMAT for whatever `toJSON` does not write */
  static fromJSON(json: WordsJson): WordVocabulary {
    const words: unknown = json?.words;
    const isList = Array.isArray(words) && words.every((word) => typeof word === "string" && word !== "");
    if (json?.format === FORMAT && isList && new Set(words).size === words.length)
      return new WordVocabulary(words as string[]);
    const rule = `format must be "${FORMAT}" with a list of different words`;
    const fault = { op: "WordVocabulary.fromJSON", rule, got: JSON.stringify(json?.format) ?? "nothing" };
    throw new DataError("FORMAT", { ...fault, remedy: "copy or train the model again" });
  }

  toJSON(): WordsJson {
    return { format: FORMAT, words: this.#words };
  }

  /** V, the four special ones included. */
  get size(): number {
    return SPECIAL_PIECES.length + this.#words.length;
  }

  source(tokens: readonly string[]): EncodedSource {
    const own: string[] = [];
    const numbers = new Map<string, number>();
    const ids = tokens.map((token) => {
      const word = token.toLowerCase();
      const id = this.#ids.get(word) ?? numbers.get(word);
      if (id !== undefined) return id;
      numbers.set(word, this.size + own.length);
      return this.size + own.push(word) - 1;
    });
    return { ids, own };
  }

  /** The ids of a target, END included: words that only its source has by that source's numbers. */
  target(tokens: readonly string[], own: readonly string[]): number[] {
    const ids = tokens.map((token) => {
      const word = token.toLowerCase();
      const known = this.#ids.get(word);
      if (known !== undefined) return known;
      const at = own.indexOf(word);
      return at < 0 ? UNKNOWN : this.size + at;
    });
    return [...ids, END];
  }

  /** The word of an id, in lower case. */
  word(id: number, own: readonly string[]): string {
    return this.#words[id - SPECIAL_PIECES.length] ?? own[id - this.size] ?? SPECIAL_PIECES[id] ?? "";
  }
}

/** The words that a model's folder has, as `wordsFile` wrote them. @throws FileError MISSING · DataError DAMAGED, FORMAT */
export function readWords(folder: ModelReader): WordVocabulary {
  const { words } = folder.json<{ words: WordsJson }>(VOCABULARY, ["words"]);
  return WordVocabulary.fromJSON(words);
}

/** The words of a model as the text of their file. */
export const wordsFile = (words: WordVocabulary): string => `${JSON.stringify({ words: words.toJSON() })}\n`;
