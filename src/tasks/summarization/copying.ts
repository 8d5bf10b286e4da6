import { padBatch, type TokenPair } from "../../data/batching.ts";
import type { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import { type LikeliestOptions, likeliestWords } from "../../models/pointer-generator/search.ts";
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

/** Which of the words that the vocabulary lacks summaries have, of all that their texts offer. */
export interface Choice {
  /** Such words of the texts as they were read, each once a text. */
  offered: number;
  /** The share of these that is due: what a word drawn by lot is right with. */
  due: number;
  /** Such words that summaries have. */
  chosen: number;
  /** The share of these that is due; 1 where none was chosen. */
  right: number;
  /** `Copying.share` where every summary had as many such words as it has, but those that its text repeats most, of equals the first. */
  byRepetition: number;
}

/**
 * What copying chooses from. `scoreCopying` asks how many of the words that are due come through, and says nothing of those that came
 * and were not due: a summary that copied every name would have them all. Here both are counted, beside a choice that needs no model.
 */
export function scoreChoice(
  summaries: readonly Summary[],
  references: readonly (readonly string[])[],
): Choice {
  let [offered, dueInAll, chosen, right, repeated] = [0, 0, 0, 0, 0];
  for (const [n, summary] of summaries.entries()) {
    const { sourceTokens, outside, targetTokens } = summary;
    const counts = new Map<string, number>();
    for (const word of wordsOf(sourceTokens.filter((_, s) => outside[s])))
      counts.set(word, (counts.get(word) ?? 0) + 1);
    const has = new Set(wordsOf(targetTokens));
    const taken = [...counts.keys()].filter((word) => has.has(word));
    // The sort is stable, and a map has its keys in the order of the text.
    const often = [...counts].sort(([, a], [, b]) => b - a).slice(0, taken.length);
    const due = new Set(dueCopies(summary, references[n]!));
    offered += counts.size;
    dueInAll += due.size;
    chosen += taken.length;
    right += taken.filter((word) => due.has(word)).length;
    repeated += often.filter(([word]) => due.has(word)).length;
  }
  const share = (count: number, all: number) => (all === 0 ? 1 : count / all);
  return {
    ...{ offered, due: share(dueInAll, offered) },
    ...{ chosen, right: share(right, chosen), byRepetition: share(repeated, dueInAll) },
  };
}

/** How often such words are pointed at where they belong, given all words before. */
export interface Pointing extends Copying {
  /** The share that comes first among the words that the vocabulary lacks and the text has: which of them is meant. */
  amongOwn: number;
  /** The same where one of these was drawn by lot. */
  byLot: number;
}

/**
 * How often a word that the vocabulary lacks is copied where it belongs: of the places of references with a word that the
 * vocabulary lacks and the source has, the share where the model, given the reference up to there, finds that word the most
 * likely of all. It asks for copying alone, where `scoreCopying` also asks for the same choice and order of what is said. What is
 * said next is still a choice; `amongOwn` takes it that a word of this kind comes, and asks which.
 *
 * @param pairs sources and references as numbers; the references end with END
 */
export function scorePointing(
  model: PointerGenerator,
  pairs: readonly TokenPair[],
  options: Pick<LikeliestOptions, "pointing"> = {},
): Pointing {
  const { vocabulary } = model.config;
  let [words, right, rightAmongOwn, lots] = [0, 0, 0, 0];
  const asked = pairs.filter(({ target }) => target.some((id) => id >= vocabulary));
  for (let from = 0; from < asked.length; from += BATCH_SIZE) {
    const batch = asked.slice(from, from + BATCH_SIZE);
    const [source, target] = [
      padBatch(batch.map((pair) => pair.source)),
      padBatch(batch.map((pair) => pair.target)),
    ];
    const found = likeliestWords(model, source, target, options);
    const foundOwn = likeliestWords(model, source, target, { ...options, ownWords: true });
    for (const [place, id] of target.ids.entries()) {
      if (id < vocabulary) continue;
      const own = new Set(batch[Math.floor(place / target.width)]!.source.filter((one) => one >= vocabulary));
      words++;
      lots += 1 / own.size;
      if (found[place] === id) right++;
      if (foundOwn[place] === id) rightAmongOwn++;
    }
  }
  const share = (count: number) => (words === 0 ? 1 : count / words);
  return { words, share: share(right), amongOwn: share(rightAmongOwn), byLot: share(lots) };
}

const wordsOf = (tokens: readonly string[]): string[] =>
  tokens.filter(isWord).map((token) => token.toLowerCase());
