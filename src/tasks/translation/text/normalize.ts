/**
 * English as people type it, in the form that the corpora have: straight quotes and apostrophes, one hyphen, "...",
 * one space, no look-alikes. Layers on `normalizeText`, which the data sets went through.
 *
 * 1. Unicode NFKC where it only undoes typography (ﬁ → fi, Ａ → A, … → ...), not where it would change what is said
 *    (½, ², ™, º stay);
 * 2. `normalizeText`: NFC, quotes, zero-width characters, white space;
 * 3. the other quotes and apostrophes (` ′ ‹ « „ ″), dashes (‐ ‑ − as a hyphen, – — ― between words as " - ");
 * 4. repeated marks: "!!!" → "!", "???" → "?", "?!?!" → "?!", "....." → "...";
 * 5. the spellings of haste, where no other word is meant: "dont" → "don't", "im" → "I'm", "pls" → "please", " & " → "and".
 *
 * `normalizeEnglish` is idempotent, and linear in the length of the text.
 */
import { normalizeText } from "../../../data/text.ts";

/** What compatibility decomposition would change in meaning: superscripts, fractions, signs, ordinals. */
const KEPT =
  "\\u00aa\\u00b2\\u00b3\\u00b9\\u00ba\\u00bc-\\u00be\\u2070-\\u209f\\u2100-\\u218b\\u2460-\\u24ff";
const TYPOGRAPHY = new RegExp(`[^\\x00-\\x7f${KEPT}]+`, "gu");

const DOUBLE_QUOTES = /[\u201f\u2033\u2036\u00ab\u00bb\u275d\u275e\u301d\u301e]|''(?=\s|$)|(?<=^|\s)''|``/g;
const SINGLE_QUOTES = /[\u0060\u201a\u201b\u2032\u2035\u2039\u203a\u02b9\u02bb\u275b\u275c]/g;
const HYPHENS = /[\u2010\u2011\u2012\u2212\u00ad\ufe63\uff0d]/g;
/** A dash between numbers is a range and stays close. */
const RANGE = /(?<=\d) ?[\u2013\u2014\u2015] ?(?=[\d$€£¥])/g;
const DASHES = / *[\u2013\u2014\u2015]+ */g;

const SPELLINGS: Record<string, string> = {
  dont: "don't",
  doesnt: "doesn't",
  didnt: "didn't",
  isnt: "isn't",
  arent: "aren't",
  wasnt: "wasn't",
  werent: "weren't",
  havent: "haven't",
  hasnt: "hasn't",
  hadnt: "hadn't",
  wouldnt: "wouldn't",
  couldnt: "couldn't",
  shouldnt: "shouldn't",
  cant: "can't",
  wont: "won't",
  im: "I'm",
  ive: "I've",
  youre: "you're",
  youve: "you've",
  theyre: "they're",
  theyve: "they've",
  weve: "we've",
  thats: "that's",
  whats: "what's",
  wheres: "where's",
  theres: "there's",
  hes: "he's",
  shes: "she's",
  pls: "please",
  plz: "please",
  thx: "thanks",
  u: "you",
  gonna: "going to",
  wanna: "want to",
  i: "I",
  "i'm": "I'm",
  "i've": "I've",
  "i'll": "I'll",
  "i'd": "I'd",
};

/** Whole words only: nothing within an address, a number or another word. */
const BARE = new RegExp(
  `(?<![\\p{L}\\p{M}\\p{N}'@/._&#-])(?:${Object.keys(SPELLINGS).join("|")})(?![\\p{L}\\p{M}\\p{N}'@/_&-]|\\.[\\p{L}\\p{N}])`,
  "giu",
);

function spelling(word: string): string {
  // "U" is a letter: of "U-turn", of a name.
  if (word === "U") return word;
  const right = SPELLINGS[word.toLowerCase()]!;
  if (word.length > 1 && word === word.toUpperCase() && word !== word.toLowerCase()) {
    return right.toUpperCase();
  }
  return /^\p{Lu}/u.test(word) ? right[0]!.toUpperCase() + right.slice(1) : right;
}

function step(text: string): string {
  return normalizeText(text.replace(TYPOGRAPHY, (run) => run.normalize("NFKC")))
    .replace(SINGLE_QUOTES, "'")
    .replace(DOUBLE_QUOTES, '"')
    .replace(HYPHENS, "-")
    .replace(RANGE, "-")
    .replace(DASHES, " - ")
    .replace(/\.{4,}/g, "...")
    .replace(/(\.\.\.)([!?])/g, "$2")
    .replace(/([!?])[!?]*/g, (run) => (run.includes("?") ? (run.includes("!") ? "?!" : "?") : "!"))
    .replace(/,{2,}/g, ",")
    .replace(/(?<=[\p{L}\p{N}"')]) +([!?;:,.])(?=\s|$)/gu, "$1")
    .replace(BARE, spelling)
    .replace(/(?<=[\p{L}\p{N}"')]) & (?=[\p{L}\p{N}"'(])/gu, " and ")
    .replace(/ {2,}/g, " ")
    .trim();
}

/** One rule may make room for another ("a ,, b"); two steps are enough for nearly every text. */
const MOST_STEPS = 8;

/**
 * @example
 * normalizeEnglish("“Hello”…   I\u2019m  ﬁne !!!"); // "\"Hello\"... I'm fine!"
 */
export function normalizeEnglish(text: string): string {
  let done = step(text);
  for (let n = 1; n < MOST_STEPS; n++) {
    const next = step(done);
    if (next === done) break;
    done = next;
  }
  return done;
}
