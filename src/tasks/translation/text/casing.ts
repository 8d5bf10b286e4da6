/**
 * Capitals: what a reader types in capitals or without any is given the capitals that the corpus has, and a translation of
 * capitals becomes capitals.
 *
 * - "WHERE IS TOM?" → "Where is Tom?" → "Où est Tom ?" → "OÙ EST TOM ?"
 * - "Where Can I Find A Taxi" → "Where can I find a taxi"
 * - "i live in london" → "I live in London"
 */
import type { TargetLanguage } from "./language.ts";
import { isListed } from "./listed.ts";
import { capitalizePlaces } from "./places.ts";
import { countOf, type Vocabulary, WORD } from "./vocabulary.ts";

/** A capital form this many times as frequent as the small one is how the word is written. */
const CLEARLY = 5;

/** Words that nothing but a headline writes with a capital inside a sentence. */
const SMALL_WORDS = new Set(
  "a an the is are was were be to of in on at by for with from and or but not do does did can could will would should have has had it its he she they we you my your his her our their this that there here what where when how who why if as so up out me him them us any some no yes please find get go come need want".split(
    " ",
  ),
);

const letters = (text: string) => text.match(/\p{L}/gu)?.length ?? 0;

/** Whether all letters that have case are capitals, and there are more than a word like "OK" or "USA" has. */
export function isAllCapitals(text: string): boolean {
  return (
    letters(text) > 4 &&
    text === text.toUpperCase() &&
    text !== text.toLowerCase() &&
    (/\P{L}\p{Lu}/u.test(text.trim()) || /\p{Lu}[!?]/u.test(text))
  );
}

/** Whether every word has a capital, small ones too: a headline. */
export function isTitleCase(text: string): boolean {
  const words = text.match(WORD) ?? [];
  if (words.length < 3 || !words.every((word) => /^\p{Lu}/u.test(word))) return false;
  return words.slice(1).some((word) => word.length > 1 && SMALL_WORDS.has(word.toLowerCase()));
}

/** How the corpus writes a word that says nothing by its own case. */
function corpusCase(word: string, vocabulary: Vocabulary | undefined): string {
  const lower = word.toLowerCase();
  if (lower === "i" || lower.startsWith("i'")) return `I${lower.slice(1)}`;
  const capital = lower.replace(/^\p{L}/u, (first) => first.toUpperCase());
  const small = countOf(vocabulary, lower);
  const great = countOf(vocabulary, capital);
  if (great > CLEARLY * small) return capital;
  const upper = lower.toUpperCase();
  if (countOf(vocabulary, upper) > CLEARLY * (small + great)) return upper;
  if (small > 0) return lower;
  return isListed(capital) ? capital : lower;
}

/** A capital for a first word in small letters; "iPhone", "@name" and "x²" have their own. */
function startsWithCapital(text: string): string {
  return text.replace(
    /^(["'([¿¡ -]*)(\p{Ll})(?=[\p{Ll}\p{M}'’-]*(?:[\s.,;:!?)"\]]|$))/u,
    (_, before: string, first: string) => {
      return before + first.toUpperCase();
    },
  );
}

/**
 * A sentence with the capitals of the corpus, where its own say nothing: in a sentence of capitals, a headline, or one
 * without any. Any other sentence keeps its words and gets a capital at its start.
 */
export function sentenceCapitals(text: string, vocabulary?: Vocabulary): string {
  const without = !/\p{Lu}/u.test(text.replace(/(?<![\p{L}\p{M}])I(?![\p{L}\p{M}])/gu, ""));
  if (!(without || isAllCapitals(text) || isTitleCase(text))) return startsWithCapital(text);
  // An address or a code has its own case.
  const words = text.replace(
    /(?<![\p{L}\p{N}@/._:#-])[\p{L}\p{M}'’-]+(?![\p{L}\p{M}\p{N}@/_#'’-]|\.[\p{L}\p{N}])/gu,
    (run) => run.replace(WORD, (word) => corpusCase(word, vocabulary)),
  );
  return startsWithCapital(capitalizePlaces(words));
}

/** A translation in capitals where its source was in capitals; addresses and codes keep theirs. */
export function likeSource(source: string, translation: string, language: TargetLanguage): string {
  if (!isAllCapitals(source)) return translation;
  return translation.replace(/\S+/gu, (word) =>
    /[@/\\]|\p{L}\.\p{L}{2}/u.test(word) ? word : word.toLocaleUpperCase(language),
  );
}
