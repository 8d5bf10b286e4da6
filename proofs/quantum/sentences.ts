import type { RandomStream } from "../../src/core/random.ts";
import { isHeldOut } from "../toy/sampler.ts";

const DETERMINERS = ["the", "this", "that"];
const NOUNS = ["film", "book", "song", "play", "meal", "hotel"];
const VERBS = ["is", "was", "seems"];
const NEGATIONS = ["not", "never", "hardly"];
const DEGREES = ["very", "really", "quite"];
const GOOD = ["good", "great", "lovely", "funny", "clever", "moving"];
const BAD = ["bad", "awful", "boring", "silly", "clumsy", "dull"];

/** The word of each id; the first is padding. */
export const WORDS: readonly string[] = [
  "[PAD]",
  ...[DETERMINERS, NOUNS, VERBS, NEGATIONS, DEGREES, GOOD, BAD].flat(),
];
const IDS = new Map(WORDS.map((word, id) => [word, id]));
export const LONGEST = 6;

export interface Sentences {
  /** Ids, padded: [count, LONGEST]. */
  readonly tokens: Int32Array;
  readonly lengths: Int32Array;
  /** 1 where the sentence praises. */
  readonly labels: Int32Array;
}

/**
 * Sentences such as "the film was not very good". Half of them have a negation, which turns the judgement round, so that
 * each word stands in as many that praise as that do not: no word tells anything alone. A hash of the words decides which
 * sentences are held out.
 */
export function drawSentences(
  random: RandomStream,
  count: number,
  { heldOut }: { heldOut: boolean },
): Sentences {
  const tokens = new Int32Array(count * LONGEST);
  const lengths = new Int32Array(count);
  const labels = new Int32Array(count);
  const one = (words: readonly string[]) => words[random.integer(words.length)]!;
  for (let n = 0; n < count; ) {
    const [isGood, isNegated] = [random.integer(2) === 1, random.integer(2) === 1];
    const words = [
      ...[DETERMINERS, NOUNS, VERBS].map(one),
      ...(isNegated ? [one(NEGATIONS)] : []),
      ...(random.integer(2) === 1 ? [one(DEGREES)] : []),
      one(isGood ? GOOD : BAD),
    ];
    const ids = words.map((word) => IDS.get(word)!);
    if (isHeldOut(ids) !== heldOut) continue;
    tokens.set(ids, n * LONGEST);
    lengths[n] = ids.length;
    labels[n] = Number(isGood !== isNegated);
    n++;
  }
  return { tokens, lengths, labels };
}
