import { padBatch, type TokenPair } from "../../data/batching.ts";
import type { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import { likeliestWords } from "../../models/pointer-generator/search.ts";
import { isWord, splitWords } from "../words.ts";
import type { Summary } from "./summarizer.ts";

const BATCH_SIZE = 32;

/** How many words that a vocabulary lacks come through. */
export interface Copying {
  /** Words that were due, over all texts. */
  words: number;
  /** The share of them that the summary of their text has, 0 … 1; 1 where none was due. */
  share: number;
}

/**
 * The words of a text that only copying can bring into its summary, and that belong there.
 *
 *     due = {words of the source as it was read} ∩ {words of every reference} \ {words of the vocabulary}
 *
 * Words are told apart without case; what stands between words is none. Where several people summed a text up, a word is due
 * that all of them kept.
 *
 * @example
 * const summary = { sourceTokens: ["Zorb", " (", "the", "ball"], outside: [true, true, false, false] };
 * dueCopies(summary, ["A zorb", "Zorb: the toy"]); // ["zorb"]
 */
export function dueCopies(
  { sourceTokens, outside }: Pick<Summary, "sourceTokens" | "outside">,
  references: readonly string[],
): string[] {
  const kept = references.map((reference) => new Set(wordsOf(splitWords(reference))));
  const lacked = wordsOf(sourceTokens.filter((_, s) => outside[s]));
  return [...new Set(lacked)].filter((word) => kept.every((words) => words.has(word)));
}

/** How many of the words that are due (`dueCopies`) their summaries have, over a split. */
export function scoreCopying(
  summaries: readonly Summary[],
  references: readonly (readonly string[])[],
): Copying {
  let [words, through] = [0, 0];
  for (const [n, summary] of summaries.entries()) {
    const has = new Set(wordsOf(summary.targetTokens));
    const due = dueCopies(summary, references[n]!);
    words += due.length;
    through += due.filter((word) => has.has(word)).length;
  }
  return { words, share: words === 0 ? 1 : through / words };
}

/**
 * How often a word that the vocabulary lacks is copied where it belongs: of the places of references with a word that the
 * vocabulary lacks and the source has, the share where the model, given the reference up to there, finds that word the most
 * likely of all. It asks for copying alone, where `scoreCopying` also asks for the same choice and order of what is said.
 *
 * @param pairs sources and references as numbers; the references end with END
 */
export function scorePointing(model: PointerGenerator, pairs: readonly TokenPair[]): Copying {
  const { vocabulary } = model.config;
  let [words, right] = [0, 0];
  for (let from = 0; from < pairs.length; from += BATCH_SIZE) {
    const batch = pairs.slice(from, from + BATCH_SIZE).filter(({ source }) => source.length > 0);
    if (batch.length === 0) continue;
    const target = padBatch(batch.map((pair) => pair.target));
    const found = likeliestWords(model, padBatch(batch.map(({ source }) => source)), target);
    for (const [place, id] of target.ids.entries()) {
      if (id < vocabulary) continue;
      words++;
      if (found[place] === id) right++;
    }
  }
  return { words, share: words === 0 ? 1 : right / words };
}

const wordsOf = (tokens: readonly string[]): string[] =>
  tokens.filter(isWord).map((token) => token.toLowerCase());
