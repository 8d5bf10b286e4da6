/**
 * The stem of an English word: Porter's algorithm (Porter 1980, "An algorithm for suffix stripping", tartarus.org/martin/PorterStemmer)
 * with the changes that NLTK 3.10.4 makes to it by default, which is what `rouge-score` stems with. Other implementations of
 * Porter's algorithm stem other words otherwise, so none would give ROUGE's numbers.
 *
 * What NLTK changes: a dozen irregular words; a `y` becomes `i` after a consonant (happi, enjoy) and not wherever a vowel stands
 * before; `ies` and `ied` of a word of four letters leave `ie`; `alli`, `fulli` and `logi` are suffixes of step 2; words of two
 * letters are stems; a vowel and a consonant count as an ending in consonant, vowel, consonant.
 *
 * @param word lower case; digits count as consonants
 * @example
 * porterStem("relational"); // "relat"
 */
export function porterStem(word: string): string {
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  if (word.length <= 2) return word;
  return STEPS.reduce((stem, step) => step(stem), word);
}

const IRREGULAR = new Map([
  ["sky", "sky"],
  ["skies", "sky"],
  ["dying", "die"],
  ["lying", "lie"],
  ["tying", "tie"],
  ["news", "news"],
  ["innings", "inning"],
  ["inning", "inning"],
  ["outings", "outing"],
  ["outing", "outing"],
  ["cannings", "canning"],
  ["canning", "canning"],
  ["howe", "howe"],
  ["proceed", "proceed"],
  ["exceed", "exceed"],
  ["succeed", "succeed"],
]);

/** `c` for each consonant, `v` for each vowel; a y is a consonant at the start and after a vowel. */
function letters(word: string): string {
  let kinds = "";
  for (const [i, letter] of [...word].entries()) {
    const isVowel = letter === "y" ? i > 0 && kinds[i - 1] === "c" : "aeiou".includes(letter);
    kinds += isVowel ? "v" : "c";
  }
  return kinds;
}

/** m of [C](VC)^m[V]. */
const measure = (stem: string): number => letters(stem).split("vc").length - 1;
const hasVowel = (stem: string): boolean => letters(stem).includes("v");
const endsInConsonant = (stem: string): boolean => letters(stem).endsWith("c");
/** Ends in consonant, vowel, consonant, the last no w, x or y; or is a vowel and a consonant. */
const endsShort = (stem: string): boolean => {
  const kinds = letters(stem);
  return (kinds.endsWith("cvc") && !/[wxy]$/.test(stem)) || kinds === "vc";
};
const endsDouble = (word: string): boolean =>
  word.length >= 2 && word.at(-1) === word.at(-2) && endsInConsonant(word);

type Rule = readonly [suffix: string, replacement: string];
const asRules = (rules: string): Rule[] =>
  rules.split(" ").map((rule) => rule.split(">") as [string, string]);

/** The first rule whose suffix a word has replaces it, where what is left meets the condition. */
function replaced(word: string, rules: readonly Rule[], holds: (stem: string, suffix: string) => boolean) {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return holds(stem, suffix) ? stem + replacement : word;
  }
  return word;
}

const PLURALS = asRules("sses>ss ies>i ss>ss s>");
const DOUBLE_SUFFIXES = asRules(
  "ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble alli>al entli>ent eli>e ousli>ous ization>ize ation>ate " +
    "ator>ate alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive biliti>ble fulli>ful logi>log",
);
const SUFFIXES = asRules("icate>ic ative> alize>al iciti>ic ical>ic ful> ness>");
const ENDINGS = asRules(
  "al> ance> ence> er> ic> able> ible> ant> ement> ment> ent> ion> ou> ism> ate> iti> ous> ive> ize>",
);

const STEPS: readonly ((word: string) => string)[] = [
  plural,
  participle,
  finalY,
  doubleSuffix,
  suffix,
  ending,
  finalE,
  finalL,
];

/** 1a */
function plural(word: string): string {
  if (word.length === 4 && word.endsWith("ies")) return word.slice(0, -1);
  return replaced(word, PLURALS, () => true);
}

/** 1b */
function participle(word: string): string {
  if (word.endsWith("ied")) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const found = ["ed", "ing"].find((end) => word.endsWith(end) && hasVowel(word.slice(0, -end.length)));
  if (found === undefined) return word;
  const stem = word.slice(0, -found.length);
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsDouble(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

/** 1c */
function finalY(word: string): string {
  const stem = word.slice(0, -1);
  return word.endsWith("y") && stem.length > 1 && endsInConsonant(stem) ? `${stem}i` : word;
}

/** 2 */
function doubleSuffix(word: string): string {
  if (word.endsWith("alli") && measure(word.slice(0, -4)) > 0) return doubleSuffix(word.slice(0, -2));
  // The l of logi counts: geologi becomes geolog.
  return replaced(word, DOUBLE_SUFFIXES, (stem, end) => measure(end === "logi" ? `${stem}l` : stem) > 0);
}

/** 3 */
function suffix(word: string): string {
  return replaced(word, SUFFIXES, (stem) => measure(stem) > 0);
}

/** 4 */
function ending(word: string): string {
  return replaced(word, ENDINGS, (stem, end) => measure(stem) > 1 && (end !== "ion" || /[st]$/.test(stem)));
}

/** 5a */
function finalE(word: string): string {
  if (!word.endsWith("e")) return word;
  const stem = word.slice(0, -1);
  const m = measure(stem);
  return m > 1 || (m === 1 && !endsShort(stem)) ? stem : word;
}

/** 5b */
function finalL(word: string): string {
  return word.endsWith("ll") && measure(word.slice(0, -1)) > 1 ? word.slice(0, -1) : word;
}
