import type { RandomStream } from "../../../src/core/random.ts";

/**
 * A made-up pair of languages whose words trade places: adjectives stand before their nouns here and behind them there, the
 * verb stands in the middle here and at the end there.
 *
 *     a red cat sees the big dog   →   un chat rouge le chien grand voit
 */
const NOUNS = {
  cat: "chat",
  dog: "chien",
  bird: "oiseau",
  horse: "cheval",
  mouse: "rat",
  fox: "renard",
} as const;
const ADJECTIVES = { red: "rouge", small: "petit", big: "grand", old: "vieux", black: "noir" } as const;
const VERBS = { sees: "voit", likes: "aime", follows: "suit", hears: "entend" } as const;
const ARTICLES = { a: "un", the: "le" } as const;

const ALL: Readonly<Record<string, string>> = { ...NOUNS, ...ADJECTIVES, ...VERBS, ...ARTICLES };
export const SOURCE_WORDS: readonly string[] = Object.keys(ALL);
export const TARGET_WORDS: readonly string[] = Object.values(ALL);

/** A random sentence of 3 to 7 words: article, perhaps adjective, noun, verb, and again. */
export function drawSentence(random: RandomStream): string[] {
  const one = <T>(list: readonly T[]): T => list[random.integer(list.length)]!;
  const phrase = () => [
    one(Object.keys(ARTICLES)),
    ...(random.integer(3) > 0 ? [one(Object.keys(ADJECTIVES))] : []),
    one(Object.keys(NOUNS)),
  ];
  return [...phrase(), one(Object.keys(VERBS)), ...phrase()];
}

/** The translation of a sentence of that language; undefined for any other. */
export function translateToy(sentence: readonly string[]): string[] | undefined {
  const verb = sentence.findIndex((word) => word in VERBS);
  if (verb < 0 || sentence.some((word) => !(word in ALL))) return undefined;
  const phrase = (words: readonly string[]) => {
    const [adjectives, others] = [
      words.filter((word) => word in ADJECTIVES),
      words.filter((word) => !(word in ADJECTIVES)),
    ];
    return [...others, ...adjectives];
  };
  const order = [...phrase(sentence.slice(0, verb)), ...phrase(sentence.slice(verb + 1)), sentence[verb]!];
  return order.map((word) => ALL[word]!);
}

/** Whether a sentence is kept from training: one of seven, by its words. */
export function isHeldOut(sentence: readonly string[]): boolean {
  return sentence.reduce((sum, word) => (31 * sum + SOURCE_WORDS.indexOf(word) + 1) % 9973, 7) % 7 === 0;
}

/** Sentences for a step of training, or for marking. */
export function drawPairs(
  random: RandomStream,
  count: number,
  heldOut: boolean,
): { source: string[]; target: string[] }[] {
  const pairs: { source: string[]; target: string[] }[] = [];
  while (pairs.length < count) {
    const source = drawSentence(random);
    if (isHeldOut(source) === heldOut) pairs.push({ source, target: translateToy(source)! });
  }
  return pairs;
}
