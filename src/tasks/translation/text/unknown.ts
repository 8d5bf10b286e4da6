/**
 * Words that the model has not seen. One that is a letter away from a frequent word is taken for a slip of the hand; any other
 * is copied and said to be unknown, never guessed at.
 */
import { isListed } from "./listed.ts";
import { countOf, type Vocabulary, WORD } from "./vocabulary.ts";

/** Endings that make a new word of a known one. */
const INFLECTIONS: readonly (readonly [ending: RegExp, stems: readonly string[]])[] = [
  [/ies$/, ["y"]],
  [/(?:ses|xes|zes|ches|shes)$/, ["", "e"]],
  [/s$/, [""]],
  [/(?:ied|ier|iest|ily|iness)$/, ["y"]],
  [/(?:ed|er|est|ing|ers|ings)$/, ["", "e"]],
  [/(?:ly|ness|less|ful|like|y|ish|able|n't)$/, ["", "e"]],
];
const PREFIX = /^(?:un|re|non|over|under|mis|dis|in|im|pre|anti|semi|super|out)-?(?=.{3})/;

/** Whether a word in small letters is a known one, or is made of one by an ending, a prefix, an accent or a hyphen. */
export function isKnown(word: string, vocabulary: Vocabulary): boolean {
  if (countOf(vocabulary, word) > 0) return true;
  const plain = word.normalize("NFD").replace(/\p{M}/gu, "");
  if (plain !== word) return isKnown(plain, vocabulary);
  for (const [ending, stems] of INFLECTIONS) {
    const match = ending.exec(word);
    if (!match) continue;
    const stem = word.slice(0, match.index);
    if (stem.length < 3) continue;
    const undoubled = /([bdfglmnprt])\1$/.test(stem) ? stem.slice(0, -1) : undefined;
    if (stems.some((tail) => countOf(vocabulary, stem + tail) > 0)) return true;
    if (undoubled && countOf(vocabulary, undoubled) > 0) return true;
  }
  const bare = word.replace(PREFIX, "");
  if (bare !== word && bare.length > 3 && countOf(vocabulary, bare) > 0) return true;
  return (
    word.includes("-") && word.split("-").every((part) => part.length < 3 || countOf(vocabulary, part) > 0)
  );
}

/**
 * The words among tokens that a vocabulary does not have, those in capitals left out: they are names (`protect`).
 *
 * @example
 * unknownWords(["the", "blorft"], new Map([["the", 9]])); // ["blorft"]
 */
export function unknownWords(tokens: Iterable<string>, vocabulary: Vocabulary): string[] {
  const unknown: string[] = [];
  for (const token of tokens)
    if (/^\p{Ll}[\p{Ll}\p{M}'’-]+$/u.test(token) && !isKnown(token.replaceAll("’", "'"), vocabulary))
      unknown.push(token);
  return unknown;
}

export interface Correction {
  readonly from: string;
  readonly to: string;
  /** Where the word stands in the text that was given. */
  readonly at: number;
}

/** A word is corrected only to one that occurs at least so often. */
const FREQUENT = 15;
/** ... and that is so many times as frequent as the next candidate. */
const CLEARLY = 8;
/** Longer words are looked at by nobody: 15 letters have 800 neighbours. */
const LONGEST = 15;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

/** A swap or a doubled letter is a likelier slip than a wrong letter. */
const LIKELY = 10;

/** Double letters as one: "tommorow" and "tomorrow" are both "tomorow". */
const single = (word: string) => word.replace(/([a-z])\1+/g, "$1");

const singles = new WeakMap<Vocabulary, Map<string, string[]>>();

/** The words of a vocabulary by their spelling without double letters. */
function bySingle(vocabulary: Vocabulary): Map<string, string[]> {
  const known = singles.get(vocabulary);
  if (known) return known;
  const made = new Map<string, string[]>();
  for (const [word, count] of vocabulary) {
    if (count < FREQUENT || word.length < 4) continue;
    const key = single(word);
    made.set(key, [...(made.get(key) ?? []), word]);
  }
  singles.set(vocabulary, made);
  return made;
}

/** The words that are one slip away, with how likely the slip is; a careful look sees only swaps and doubled letters. */
function neighbours(word: string, vocabulary: Vocabulary, careful: boolean): Map<string, number> {
  const found = new Map<string, number>();
  const short = careful || word.length <= 4;
  for (let i = 0; i < word.length; i++) {
    const [left, right] = [word.slice(0, i), word.slice(i)];
    // The first letter is seldom wrong, and any two short words are close.
    if (!short && i > 0) {
      found.set(left + right.slice(1), 1);
      for (const letter of ALPHABET) {
        found.set(left + letter + right.slice(1), 1);
        found.set(left + letter + right, 1);
      }
    }
  }
  if (!short) for (const letter of ALPHABET) found.set(word + letter, 1);
  for (let i = 0; i + 1 < word.length; i++)
    found.set(word.slice(0, i) + word[i + 1] + word[i] + word.slice(i + 2), LIKELY);
  for (const one of bySingle(vocabulary).get(single(word)) ?? []) found.set(one, LIKELY);
  found.delete(word);
  return found;
}

function correction(word: string, vocabulary: Vocabulary, careful: boolean): string | undefined {
  let [best, first, second, seen] = ["", 0, 0, 0];
  for (const [candidate, likely] of neighbours(word, vocabulary, careful)) {
    const count = countOf(vocabulary, candidate);
    const weight = count * likely;
    if (weight > first) [best, first, second, seen] = [candidate, weight, first, count];
    else if (weight > second) second = weight;
  }
  return seen >= FREQUENT && first >= CLEARLY * second ? best : undefined;
}

/** The most corrections in one text: with more it is no English. */
const MOST = 8;

/**
 * A text with the slips of one letter mended that have one likely reading. Only words in small letters, without figures, that
 * the vocabulary does not have; never a name, an address or a code.
 *
 * @example
 * const vocabulary = new Map([["the", 900], ["cat", 30]]);
 * correctTypos("teh cat", vocabulary).corrections; // [{ from: "teh", to: "the", at: 0 }]
 */
export function correctTypos(
  text: string,
  vocabulary: Vocabulary,
): { text: string; corrections: Correction[] } {
  const corrections: Correction[] = [];
  const mended = text.replace(WORD, (word: string, at: number) => {
    if (corrections.length >= MOST || word.length > LONGEST || !/^\p{Lu}?[a-z]{2,}$/u.test(word)) return word;
    if (/[\p{N}@#_/\\]|\.$/u.test(text.slice(Math.max(0, at - 1), at))) return word;
    if (/^(?:[\p{N}@_/\\]|\.\p{L})/u.test(text.slice(at + word.length, at + word.length + 3))) return word;
    // A capital inside a sentence begins a name; at its start it says nothing.
    const lower = word.toLowerCase();
    const initial = word !== lower;
    if (initial && (at > 0 || countOf(vocabulary, word) > 0)) return word;
    if (isKnown(lower, vocabulary) || (initial && isListed(word))) return word;
    // A capital may begin a name that no list has: only the likeliest slips are mended there.
    const right = correction(lower, vocabulary, initial);
    if (right === undefined) return word;
    const to = initial ? right[0]!.toUpperCase() + right.slice(1) : right;
    corrections.push({ from: word, to, at });
    return to;
  });
  return { text: mended, corrections };
}
