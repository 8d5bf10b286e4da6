/**
 * Names in English text: a capital that no sentence begins with and no translation has a word for.
 *
 * A word of the lists of people and places is one wherever it stands, unless a sentence begins with it and it is a common
 * word too ("Will you come?", "Mark it."). Any other capitalised word is a name unless it is known to be translated
 * (proper-words.ts) or the vocabulary has it as a common word. Names side by side are one: "Ludwig van Beethoven".
 */
import { personKind } from "./people.ts";
import type { Kind } from "./placeholders.ts";
import { beginsPlace, isPlace } from "./places.ts";
import { isTranslated } from "./proper-words.ts";
import type { Span } from "./values.ts";
import { countOf, endsInTitle, LONGEST_BEFORE, type Vocabulary, WORD } from "./vocabulary.ts";

const CAPITAL = /^\p{Lu}/u;
/** iPhone, eBay, and words in another script than English. */
const MIXED_CASE = /^\p{Ll}{1,2}\p{Lu}/u;
const OTHER_SCRIPT = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;
const PARTICLES = new Set("van von der den de da del della di du la le bin ibn al el of".split(" "));
/** "Elizabeth II"; the war and its number are the model's. */
const ROMAN = /^(?:II|III|IV|VI{0,3}|IX|XI{0,3}|XI?V|XVI{0,3})$/;
const IN = /(?:^|[^\p{L}])(?:in|to|from|at|near|for|via|through|around|visit|visited|leave|left) $/iu;
/** A capital with a word that the model has seen so often in small letters is no name. */
const COMMON = 3;

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Endings of words that a sentence may begin with though the vocabulary has not met them. */
const ENDINGS =
  /(?:ing|ed|ly|tion|sion|ment|ness|ful|less|able|ible|ance|ence|ity|ism|ists?|ous|ive|ology|more|ever|ship|wards?)s?$/;

/** Whether an unseen word is seen without its ending, or has one of English. */
function looksEnglish(lower: string, vocabulary: Vocabulary | undefined): boolean {
  if (countOf(vocabulary, lower) > 0 || ENDINGS.test(lower)) return true;
  return [/s$/, /es$/, /'?s$/, /d$/, /er$/, /r$/, /n't$/].some(
    (ending) => ending.test(lower) && countOf(vocabulary, lower.replace(ending, "")) >= COMMON,
  );
}

function nameKind(
  text: string,
  word: Word,
  initial: boolean,
  vocabulary: Vocabulary | undefined,
): Kind | undefined {
  const name = word.text;
  if (OTHER_SCRIPT.test(name)) return "name";
  if (MIXED_CASE.test(name))
    return countOf(vocabulary, name) >= COMMON && isTranslated(name) ? undefined : "name";
  if (!CAPITAL.test(name)) return undefined;
  const lower = name.toLowerCase();
  const common = vocabulary !== undefined && countOf(vocabulary, lower) >= COMMON;
  const before = text.slice(Math.max(0, word.start - 12), word.start);
  if (endsInTitle(before)) return "name";
  const place = isPlace(name);
  const person = personKind(name);
  if (person || place) {
    if (initial && common && countOf(vocabulary, lower) > countOf(vocabulary, name)) return undefined;
    return place && (!person || IN.test(before)) ? "place" : person;
  }
  if (isTranslated(name)) {
    // A country that the model never met is copied, and not guessed.
    return vocabulary === undefined || countOf(vocabulary, name) + countOf(vocabulary, lower) >= 2
      ? undefined
      : "name";
  }
  // Initials ("U.S."), the article, and what a letter only describes ("T-shirt", "X-ray").
  if (name.length === 1 && (/^[AI]$/.test(name) || text[word.end] === "." || text[word.start - 1] === "."))
    return undefined;
  if (/^\p{Lu}-\p{Ll}/u.test(name)) return undefined;
  if (common) return undefined;
  if (initial && vocabulary === undefined) return undefined;
  if (initial && countOf(vocabulary, name) === 0 && looksEnglish(lower, vocabulary)) return undefined;
  // Adjectives and compounds of translated words: "Japanese-American", "non-English".
  if (name.includes("-") && name.split("-").some((part) => isTranslated(part))) return undefined;
  return "name";
}

const BEGINNING = /(?:^|[.!?:…]["')\]]* |["(¿¡]|- )["'(]*$/u;

/** Whether a word stands where a sentence, or speech in it, begins; after "Mr." it does not. */
function beginsSentence(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - LONGEST_BEFORE), start);
  return !endsInTitle(before) && (BEGINNING.test(before) || start === 0);
}

/**
 * @param taken says whether a place of the text belongs to another span already
 */
export function findNames(
  text: string,
  vocabulary?: Vocabulary,
  taken: (at: number) => boolean = () => false,
): Span[] {
  const words: Word[] = Array.from(text.matchAll(WORD), (match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
  const spans: Span[] = [];
  const close = (i: number) => i > 0 && text.slice(words[i - 1]!.end, words[i]!.start) === " ";
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (taken(word.start)) continue;
    let last = i;
    let kind: Kind | undefined;
    if (beginsPlace(word.text)) {
      for (let n = 4; n > 1 && kind === undefined; n--) {
        const end = words[i + n - 1]?.end;
        if (end !== undefined && isPlace(text.slice(word.start, end))) [kind, last] = ["place", i + n - 1];
      }
    }
    kind ??= nameKind(text, word, beginsSentence(text, word.start), vocabulary);
    if (kind === undefined) continue;
    // "Mary Ann Smith", "Leonardo da Vinci": what follows without a comma is part of the name.
    for (let next = last + 1; next < words.length && close(next) && kind !== "place"; next++) {
      const particle = words[next]!.text;
      if (PARTICLES.has(particle) && particle !== "of" && particle !== "al") {
        const after = words[next + 1];
        if (
          after &&
          close(next + 1) &&
          CAPITAL.test(after.text) &&
          nameKind(text, after, false, vocabulary)
        ) {
          last = ++next;
          continue;
        }
      }
      if (ROMAN.test(particle)) {
        last = next;
        continue;
      }
      const more = taken(words[next]!.start) ? undefined : nameKind(text, words[next]!, false, vocabulary);
      if (more === undefined || !CAPITAL.test(particle)) break;
      last = next;
    }
    const { start } = word;
    const { end } = words[last]!;
    const unknown = kind === "name" && vocabulary !== undefined && countOf(vocabulary, word.text) === 0;
    const value = { type: "text", text: text.slice(start, end) } as const;
    spans.push({ start, end, kind, value, ...(unknown ? { flag: "unknown word" as const } : {}) });
    i = last;
  }
  return spans;
}
