import type { Link } from "../../src/train/metrics/aer.ts";
import { dictionary, type ToyLanguage, uniformWords } from "./language.ts";

/** Word classes of the source: nouns 0–9, adjectives 10–15, verbs 16–20, particles 21–23. */
const WORDS = 24;
const isNoun = (word: number | undefined) => word !== undefined && word < 10;
const isAdjective = (word: number | undefined) => word !== undefined && word >= 10 && word < 16;
/** Two nouns and a verb become two words: one of their own, then MARKER. */
const DOUBLED: ReadonlySet<number> = new Set([8, 9, 20]);
/** Two particles become nothing. Their words in the dictionary are free for MARKER and IDIOM. */
const VANISHING: ReadonlySet<number> = new Set([22, 23]);
/** The idiom: this verb just before this noun. */
const KICK = 16;
const BUCKET = 0;
/** The share of sentences that get an idiom put in; by chance alone it would be one in a hundred. */
const IDIOM_SHARE = 1 / 3;

/**
 * A language with what word-for-word translation cannot do:
 *
 *     reordering   an adjective follows its noun      adj noun → NOUN ADJ
 *     fertility 2  some words become two              noun8 → NOUN8 MARKER
 *     fertility 0  some words vanish                  particle22 →
 *     an idiom     two words, one unrelated meaning   kick bucket → DIE, while kick → KICK and bucket → BUCKET
 *
 * Gold links: each target word to the source word it came from, sure; DIE to both words of the idiom, possible,
 * since either is right (Och & Ney 2003, § 5.1).
 */
export function idiomatic(): ToyLanguage {
  const meaning = dictionary(WORDS, 2);
  const [marker, die] = [...VANISHING].map((word) => meaning[word]!) as [number, number];
  return {
    name: "idiomatic",
    words: WORDS,
    draw(random, length) {
      const source = uniformWords(random, length, WORDS);
      if (length >= 2 && random.uniform() < IDIOM_SHARE) {
        source.splice(random.integer(length - 1), 2, KICK, BUCKET);
      }
      return source;
    },
    translate(source) {
      const target: number[] = [];
      const sure: Link[] = [];
      const possible: Link[] = [];
      const say = (s: number) => {
        const word = source[s]!;
        if (VANISHING.has(word)) return;
        for (const said of DOUBLED.has(word) ? [meaning[word]!, marker] : [meaning[word]!]) {
          sure.push([s, target.length]);
          target.push(said);
        }
      };
      for (let s = 0; s < source.length; s++) {
        const next = source[s + 1];
        if (hasIdiomAt(source, s)) {
          possible.push([s, target.length], [s + 1, target.length]);
          target.push(die);
          s++;
        } else if (isAdjective(source[s]) && isNoun(next)) {
          say(s + 1);
          say(s);
          s++;
        } else say(s);
      }
      return { source: [...source], target, gold: { sure, possible } };
    },
  };
}

function hasIdiomAt(source: readonly number[], s: number): boolean {
  return source[s] === KICK && source[s + 1] === BUCKET;
}
