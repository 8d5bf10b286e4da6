/**
 * Is it English? A script that English is not written in, or letters that another language puts in a row.
 *
 * Naive Bayes over trigrams of letters, words padded with `_` (Cavnar and Trenkle 1994, "N-gram-based text categorization",
 * their profiles; here with the trigrams' probabilities instead of ranks):
 *
 *     evidence(L) = Σ_t log₂ p(t | L) − log₂ p(t | English)      over the trigrams t that the profile has, in bits
 *
 * The profile (language-profile.ts, 13 kB) has 1,800 trigrams of the corpora's own training sides with log₂ p rounded to whole
 * bits. With 8 bits as the threshold, 5 of the 4,722 English validation sentences are called foreign (2 Spanish, 3 no language), and
 * 99.3 % of the French, 98.5 % of the German and 98.2 % of the Spanish ones are called by their names. Other languages in Latin letters are called by the nearest of these.
 *
 * One word is little evidence ("chat", "Tag"): then nothing is said.
 */
import { PROFILE } from "./language-profile.ts";

/** In the order of the profile's columns. */
export const PROFILE_LANGUAGES = ["en", "fr", "de", "es"] as const;

export interface Detected {
  /** "fr", "de" or "es"; a script ("Cyrillic", "Han"); or "none" for letters that no language puts so. */
  readonly language: string;
  /** As a sentence says it: "French", "Cyrillic letters", "no language". */
  readonly name: string;
}

const NAMES: Record<string, string> = { fr: "French", de: "German", es: "Spanish" };

const SCRIPTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Cyrillic", /\p{Script=Cyrillic}/gu],
  ["Greek", /\p{Script=Greek}/gu],
  ["Arabic", /\p{Script=Arabic}/gu],
  ["Hebrew", /\p{Script=Hebrew}/gu],
  ["Devanagari", /\p{Script=Devanagari}/gu],
  ["Thai", /\p{Script=Thai}/gu],
  ["Hangul", /\p{Script=Hangul}/gu],
  ["Japanese", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["Han", /\p{Script=Han}/gu],
];

/** Bits of evidence from which a text is said to be in another language. */
const THRESHOLD = 8;
/** So many trigrams, of which so many are in no profile, are no language. */
const LEAST_TRIGRAMS = 10;
const UNSEEN = 0.55;
/** Longer texts are judged by their beginning. */
const LONGEST = 2000;

const WORD = /\p{L}+(?:'\p{L}+)*/gu;

/** The trigrams of a text's words, in small letters and padded: "_do", "don", ... */
export function trigrams(text: string): string[] {
  return Array.from(text.matchAll(WORD)).flatMap(([word]) => {
    const padded = `_${word.toLowerCase()}_`;
    return Array.from({ length: padded.length - 2 }, (_, i) => padded.slice(i, i + 3));
  });
}

const TRIGRAM = 3;

let levels: Map<string, readonly number[]> | undefined;

/** The whole bits of each trigram, one a language. */
function profile(): Map<string, readonly number[]> {
  levels ??= new Map(
    PROFILE.split(" ").map((entry) => [
      entry.slice(0, TRIGRAM),
      Array.from(entry.slice(TRIGRAM), (level) => Number.parseInt(level, 16)),
    ]),
  );
  return levels;
}

/** The language with the most evidence against English, and how many trigrams were in no profile. */
function weigh(text: string): { language: string; bits: number; seen: number; unseen: number } {
  const known = profile();
  const sums = PROFILE_LANGUAGES.map(() => 0);
  let seen = 0;
  let unseen = 0;
  for (const trigram of trigrams(text)) {
    const row = known.get(trigram);
    if (row === undefined) {
      unseen++;
      continue;
    }
    seen++;
    for (const [k, level] of row.entries()) sums[k]! += level - row[0]!;
  }
  const best = sums.indexOf(Math.max(...sums.slice(1)), 1);
  return { language: PROFILE_LANGUAGES[best]!, bits: sums[best]!, seen, unseen };
}

/** The script of most letters, where it is not Latin. */
function foreignScript(text: string): string | undefined {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (letters === 0 || latin * 2 >= letters) return undefined;
  const counts = SCRIPTS.map(([name, pattern]) => [name, text.match(pattern)?.length ?? 0] as const);
  // Japanese mixes its own letters with Han.
  const japanese = counts.find(([name]) => name === "Japanese")![1] > 0 ? "Japanese" : undefined;
  const [name, most] = counts.reduce((best, one) => (one[1] > best[1] ? one : best));
  if (name === "Han" && japanese) return japanese;
  return most > 0 ? name : "another script";
}

/**
 * What a text is in, where that is not English; undefined for English, and for too little to tell.
 *
 * @example
 * detectForeign("Où est la gare, s'il vous plaît ?"); // { language: "fr", name: "French" }
 * detectForeign("Where is the station?"); // undefined
 */
export function detectForeign(text: string): Detected | undefined {
  const start = text.slice(0, LONGEST);
  const script = foreignScript(start);
  if (script !== undefined) {
    return { language: script, name: script === "another script" ? script : `${script} letters` };
  }
  const { language, bits, seen, unseen } = weigh(start);
  if (seen + unseen >= LEAST_TRIGRAMS && unseen > UNSEEN * (seen + unseen))
    return { language: "none", name: "no language" };
  if (bits < THRESHOLD) return undefined;
  // Names are of every language: without the capitals inside it the text must still be foreign.
  const plain = start.replace(/(?<=\P{L}|^)\p{Lu}[\p{L}\p{M}'’-]*/gu, (word, at: number) =>
    at === 0 ? word : "",
  );
  const again = weigh(plain);
  if (again.seen > 0 && again.bits <= 0) return undefined;
  return { language, name: NAMES[language]! };
}
