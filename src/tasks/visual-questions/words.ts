import { DataError, OptionError } from "../../core/errors.ts";
import { synonymOf } from "./synonyms.ts";

/** What every vocabulary begins with: padding, and the mark before a question. */
const SPECIAL = 2;
const [PAD, ASK] = [0, 1];
const MOST_WORDS = 65_536;

/**
 * The words of a question, in small letters and without punctuation; "t-shirt" is one.
 *
 * @example
 * splitQuestion("Is there a T-shirt?"); // ["is", "there", "a", "t-shirt"]
 */
export function splitQuestion(question: string): string[] {
  return (
    question
      .normalize("NFC")
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+(?:[-'’][\p{L}\p{M}\p{N}]+)*/gu) ?? []
  );
}

/** Questions as a model reads them: ids [N·T], T numbers each, and how many of them are words. */
export interface EncodedQuestions {
  readonly ids: Int32Array;
  readonly lengths: number[];
}

/** The words of a question by what a model makes of them. */
export interface SortedWords {
  /** The words that are read, in their order. */
  readonly known: string[];
  /** Words that are left out, each once. */
  readonly unknown: string[];
  /** Words in whose place another one is read, each once. */
  readonly replaced: { readonly word: string; readonly by: string }[];
}

/** The words that a model knows, each with a number. */
export class QuestionVocabulary {
  /** Without the special ones. */
  readonly words: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @throws OptionError OPTION for a word that comes twice */
  constructor(words: readonly string[]) {
    this.words = [...words];
    this.#ids = new Map(words.map((word, n) => [word, n + SPECIAL]));
    if (this.#ids.size === words.length) return;
    const fault = { op: "QuestionVocabulary", rule: "words must differ", got: "one twice" };
    throw new OptionError("OPTION", { ...fault, remedy: "leave one out" });
  }

  /** The words of these questions that come `least` times or more, in the order of their letters. */
  static of(questions: Iterable<string>, least = 1): QuestionVocabulary {
    const counts = new Map<string, number>();
    for (const question of questions)
      for (const word of splitQuestion(question)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const kept = [...counts].filter(([, count]) => count >= least).map(([word]) => word);
    return new QuestionVocabulary(kept.sort());
  }

  /** @throws DataError FORMAT */
  static fromJSON(words: unknown): QuestionVocabulary {
    const isList = Array.isArray(words) && words.length <= MOST_WORDS;
    if (isList && words.every((word) => typeof word === "string" && splitQuestion(word).join() === word))
      return new QuestionVocabulary(words as string[]);
    const fault = {
      op: "QuestionVocabulary",
      rule: "words must be a list of different words in small letters",
    };
    throw new DataError("FORMAT", { ...fault, got: "something else", remedy: "copy the model again" });
  }

  /** V */
  get size(): number {
    return this.words.length + SPECIAL;
  }

  has(word: string): boolean {
    return this.#ids.has(word);
  }

  /** The words of a question that are known, those in whose place a synonym is, and those that are not. */
  sort(question: string): SortedWords {
    const words = splitQuestion(question);
    const read = (word: string) => [word, synonymOf(word)].find((one) => one !== undefined && this.has(one));
    const others = [...new Set(words.filter((word) => !this.has(word)))];
    return {
      known: words.flatMap((word) => read(word) ?? []),
      unknown: others.filter((word) => read(word) === undefined),
      replaced: others.flatMap((word) => {
        const by = read(word);
        return by === undefined ? [] : { word, by };
      }),
    };
  }

  /**
   * Questions as ids: the mark, the words that are known, and padding to `positions`; what is longer is cut. Always the same
   * length, so that an answer does not depend on how long the other questions are, bit for bit.
   */
  encode(questions: readonly string[], positions: number): EncodedQuestions {
    const ids = new Int32Array(questions.length * positions).fill(PAD!);
    const lengths = questions.map((question, n) => {
      const words = this.sort(question).known.map((word) => this.#ids.get(word)!);
      const row = [ASK!, ...words].slice(0, positions);
      ids.set(row, n * positions);
      return row.length;
    });
    return { ids, lengths };
  }

  toJSON(): readonly string[] {
    return this.words;
  }
}
