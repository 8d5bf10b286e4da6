/**
 * chrF (Popović 2015, aclanthology.org/W15-3049) and chrF++ (Popović 2017, aclanthology.org/W17-4770), as
 * sacreBLEU 2.5.1 computes them by default.
 *
 *     chrF = 100 · (1 + β²) P R / (β² P + R),   P = mean over orders of match / hypothesis n-grams,
 *                                               R = mean over orders of match / reference n-grams
 *
 * Orders are character 1- to 6-grams without white space and, for chrF++, word 1- and 2-grams with a leading or
 * trailing ASCII punctuation mark cut off. β = 2 weighs recall twice. An order counts where both sides have such
 * n-grams. Each segment is held against the reference that gives it the best score (the first of equals), and the
 * counts are summed over the corpus before the formula. A character is a code point. Scores run from 0 to 100.
 */
import { Interner, Ngrams, ngramTotals } from "./ngrams.ts";
import { referenceCount, requireSegments, splitSpaces } from "./segments.ts";

const CHARACTER_ORDER = 6;
const BETA = 2;
const PUNCTUATION = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

export interface ChrfOptions {
  /** Word n-grams up to this order; 0 is chrF, 2 is chrF++. @default 0 */
  wordOrder?: number;
}
export interface ChrfScore {
  /** 0 … 100 */
  score: number;
  /** How the score was made, in sacreBLEU's words; the version is the one whose numbers these are. */
  signature: string;
}

/** Per order, characters first: the n-grams of the hypothesis, of the reference, and of both. */
interface Counts {
  hypothesis: number[];
  reference: number[];
  match: number[];
}

/**
 * @param hypotheses one translation per segment
 * @param references per segment its references, one at least
 * @throws DataError SHAPE for an empty corpus, unequal lengths, or a segment without reference
 *
 * @example
 * corpusChrf(["Le chat dort."], [["Le chat dormait."]], { wordOrder: 2 }).score;
 */
export function corpusChrf(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  { wordOrder = 0 }: ChrfOptions = {},
): ChrfScore {
  requireSegments("corpusChrf", hypotheses, references);
  return chrf(hypotheses, references, wordOrder);
}

/**
 * chrF of one segment.
 *
 * @example
 * sentenceChrf("chat", ["chats"]).score;
 */
export function sentenceChrf(
  hypothesis: string,
  references: readonly string[],
  { wordOrder = 0 }: ChrfOptions = {},
): ChrfScore {
  requireSegments("sentenceChrf", [hypothesis], [references]);
  return chrf([hypothesis], [references], wordOrder);
}

function chrf(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  wordOrder: number,
): ChrfScore {
  const zeros = () => new Array<number>(CHARACTER_ORDER + wordOrder).fill(0);
  const sum: Counts = { hypothesis: zeros(), reference: zeros(), match: zeros() };
  hypotheses.forEach((hypothesis, i) => {
    const best = bestCounts(hypothesis, references[i]!, wordOrder);
    for (const key of ["hypothesis", "reference", "match"] as const)
      best[key].forEach((count, n) => {
        sum[key][n]! += count;
      });
  });
  const nrefs = referenceCount(references);
  const signature = `nrefs:${nrefs}|case:mixed|eff:yes|nc:${CHARACTER_ORDER}|nw:${wordOrder}|space:no|version:2.5.1`;
  return { score: scoreOf(sum), signature };
}

function bestCounts(hypothesis: string, references: readonly string[], wordOrder: number): Counts {
  const interner = new Interner();
  const characters = charactersOf(hypothesis);
  const words = wordOrder > 0 ? interner.numbersOf(wordsOf(hypothesis)) : [];
  const characterNgrams = new Ngrams(characters, CHARACTER_ORDER);
  const wordNgrams = new Ngrams(words, wordOrder);
  let best: Counts | undefined;
  let bestScore = -1;
  for (const reference of references) {
    const otherCharacters = charactersOf(reference);
    const otherWords = wordOrder > 0 ? interner.numbersOf(wordsOf(reference)) : [];
    const referenceTotals = [
      ...ngramTotals(otherCharacters.length, CHARACTER_ORDER),
      ...ngramTotals(otherWords.length, wordOrder),
    ];
    const counts: Counts = {
      // Where the reference has no n-gram of an order, nothing is asked of the hypothesis either.
      hypothesis: [...characterNgrams.totals, ...wordNgrams.totals].map((count, n) =>
        referenceTotals[n]! > 0 ? count : 0,
      ),
      reference: referenceTotals,
      match: [
        ...characterNgrams.byOrder(characterNgrams.sharedWith(otherCharacters)),
        ...wordNgrams.byOrder(wordNgrams.sharedWith(otherWords)),
      ],
    };
    const score = scoreOf(counts);
    if (score > bestScore) {
      best = counts;
      bestScore = score;
    }
  }
  return best!;
}

function scoreOf({ hypothesis, reference, match }: Counts): number {
  let precision = 0;
  let recall = 0;
  let orders = 0;
  match.forEach((matches, n) => {
    if (hypothesis[n]! > 0 && reference[n]! > 0) {
      precision += matches / hypothesis[n]!;
      recall += matches / reference[n]!;
      orders++;
    }
  });
  if (precision + recall === 0) return 0;
  precision /= orders;
  recall /= orders;
  const factor = BETA ** 2;
  // Rounded as sacreBLEU rounds it: a last bit decides between references that are equally good.
  return 100 * (((1 + factor) * precision * recall) / (factor * precision + recall));
}

function charactersOf(text: string): number[] {
  return Array.from(splitSpaces(text).join(""), (character) => character.codePointAt(0)!);
}

function wordsOf(text: string): string[] {
  return splitSpaces(text).flatMap((word) => {
    const characters = Array.from(word);
    if (characters.length === 1) return [word];
    if (PUNCTUATION.has(characters.at(-1)!)) return [word.slice(0, -1), word.slice(-1)];
    if (PUNCTUATION.has(characters[0]!)) return [word.slice(0, 1), word.slice(1)];
    return [word];
  });
}
