/**
 * Whole numbers in words, so that "three years" and "3 ans" are known for one: every spelling of 2 to 999 and of whole
 * thousands, hundreds of thousands and millions that fits in a phrase, per language. One is left out: in all four languages
 * it is an article or a pronoun as often as a number.
 */
import type { TargetLanguage } from "./language.ts";

type Language = "en" | TargetLanguage;

const EN_SMALL =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const EN_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const FR_SMALL =
  "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split(" ");
const FR_TENS = "- dix vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt".split(
  " ",
);
const DE_SMALL =
  "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn".split(
    " ",
  );
const DE_TENS = "- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split(" ");
const ES_SMALL =
  "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve".split(
    " ",
  );
const ES_TENS = "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa".split(" ");
const ES_HUNDREDS =
  "- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos".split(
    " ",
  );

/** The spellings of 1 to 99; hyphens are written as they are, `lookUp` reads a space as one too. */
const TO_99: Record<Language, (n: number) => string[]> = {
  en: (n) =>
    n < 20 ? [EN_SMALL[n]!] : [EN_TENS[Math.floor(n / 10)]! + (n % 10 ? `-${EN_SMALL[n % 10]}` : "")],
  fr: (n) => {
    if (n <= 16) return [FR_SMALL[n]!];
    if (n < 20) return [`dix-${FR_SMALL[n - 10]}`];
    const tens = Math.floor(n / 10);
    const rest = n - (tens === 7 || tens === 9 ? tens - 1 : tens) * 10;
    const head = FR_TENS[tens]!;
    if (rest === 0) return n === 80 ? ["quatre-vingts", "quatre-vingt"] : [head];
    const tail = rest <= 16 ? FR_SMALL[rest]! : `dix-${FR_SMALL[rest - 10]}`;
    if ((rest === 1 || rest === 11) && tens < 8) return [`${head}-et-${tail}`];
    return [`${head}-${tail}`];
  },
  de: (n) => {
    if (n < 20) return [DE_SMALL[n]!];
    const tens = DE_TENS[Math.floor(n / 10)]!;
    return [n % 10 ? `${DE_SMALL[n % 10]}und${tens}` : tens];
  },
  es: (n) => {
    if (n === 21) return ["veintiuno", "veintiún", "veintiuna"];
    if (n < 30) return [ES_SMALL[n]!];
    const tens = ES_TENS[Math.floor(n / 10)]!;
    if (n % 10 === 0) return [tens];
    return n % 10 === 1
      ? [`${tens}-y-uno`, `${tens}-y-un`, `${tens}-y-una`]
      : [`${tens}-y-${ES_SMALL[n % 10]}`];
  },
};

/** The spellings of h·100 + n, for h from 1. */
const HUNDREDS: Record<Language, (h: number, rest: readonly string[]) => string[]> = {
  en: (h, rest) =>
    (h === 1 ? ["a-hundred", "one-hundred"] : [`${EN_SMALL[h]}-hundred`]).flatMap((head) =>
      rest.length ? rest.flatMap((tail) => [`${head}-${tail}`, `${head}-and-${tail}`]) : [head],
    ),
  fr: (h, rest) => {
    const head = h === 1 ? "cent" : `${FR_SMALL[h]}-cent`;
    return rest.length ? rest.map((tail) => `${head}-${tail}`) : h === 1 ? [head] : [`${head}s`, head];
  },
  de: (h, rest) =>
    (h === 1 ? ["hundert", "einhundert"] : [`${DE_SMALL[h]}hundert`]).flatMap((head) =>
      rest.length ? rest.map((tail) => `${head}${tail}`) : [head],
    ),
  es: (h, rest) => {
    if (!rest.length) return h === 1 ? ["cien"] : [ES_HUNDREDS[h]!, ES_HUNDREDS[h]!.replace(/os$/, "as")];
    const head = ES_HUNDREDS[h]!;
    return rest.map((tail) => `${head}-${tail}`);
  },
};

const THOUSAND: Record<Language, (head: string) => string[]> = {
  en: (head) => (head === "" ? ["a-thousand", "one-thousand"] : [`${head}-thousand`]),
  fr: (head) => (head === "" ? ["mille"] : [`${head}-mille`]),
  de: (head) => (head === "" ? ["tausend", "eintausend"] : [`${head}tausend`]),
  es: (head) => (head === "" ? ["mil"] : [`${head}-mil`]),
};

const tables = new Map<Language, Map<string, number>>();

function table(language: Language): Map<string, number> {
  const known = tables.get(language);
  if (known) return known;
  const made = new Map<string, number>();
  const upTo99 = Array.from({ length: 100 }, (_, n) => TO_99[language](n));
  const upTo999 = [...upTo99];
  for (let n = 100; n < 1000; n++)
    upTo999.push(HUNDREDS[language](Math.floor(n / 100), n % 100 ? upTo99[n % 100]! : []));
  for (const [n, spellings] of upTo999.entries()) {
    if (n >= 2) for (const one of spellings) made.set(one, n);
    if (n >= 1)
      for (const one of n === 1 ? [""] : spellings)
        for (const thousand of THOUSAND[language](one)) made.set(thousand, n * 1000);
  }
  // German stands "eins" by itself, and "ss" for "ß" where there is no ß.
  if (language === "de")
    for (const [one, n] of [...made]) if (one.includes("ß")) made.set(one.replace("ß", "ss"), n);
  tables.set(language, made);
  return made;
}

/** The words that number phrases are made of. */
const parts = new Map<Language, Set<string>>();

function partsOf(language: Language): Set<string> {
  let known = parts.get(language);
  if (known) return known;
  known = new Set([...table(language).keys()].flatMap((phrase) => phrase.split("-")));
  parts.set(language, known);
  return known;
}

/** No spelled number has more words: "quatre cent quatre vingt dix neuf mille" has seven. */
const MOST_WORDS = 8;

export interface NumberPhrase {
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

const WORD = /\p{L}+/gu;

/**
 * The numbers in words of a text, the longest phrases first found; "one" and its like are none.
 *
 * @example
 * findNumberWords("I have twenty-one cats.", "en"); // [{ start: 7, end: 17, value: 21 }]
 */
export function findNumberWords(text: string, language: Language): NumberPhrase[] {
  const values = table(language);
  const known = partsOf(language);
  const words = Array.from(text.matchAll(WORD), (match) => ({
    word: match[0].toLowerCase(),
    start: match.index,
    end: match.index + match[0].length,
  }));
  const found: NumberPhrase[] = [];
  for (let i = 0; i < words.length; ) {
    let phrase = "";
    let best = 0;
    let value = 0;
    for (let n = 0; n < MOST_WORDS && i + n < words.length; n++) {
      const { word, start } = words[i + n]!;
      if (!known.has(word)) break;
      if (n > 0 && !/^[ -]$/.test(text.slice(words[i + n - 1]!.end, start))) break;
      phrase = n ? `${phrase}-${word}` : word;
      const one = values.get(phrase);
      if (one !== undefined) [best, value] = [n + 1, one];
    }
    if (best > 0) found.push({ start: words[i]!.start, end: words[i + best - 1]!.end, value });
    i += Math.max(1, best);
  }
  return found;
}

const DE_ORDINALS: Record<string, number> = { dritt: 3, siebt: 7, acht: 8 };
const ES_ORDINALS = "- - segund tercer cuart quint sext séptim octav noven décim".split(" ");
const FR_ODD: Record<string, number> = { cinquième: 5, neuvième: 9 };
const EN_ODD: Record<string, number> = { third: 3, fifth: 5, eighth: 8, ninth: 9, twelfth: 12 };

/** The value of an ordinal in words from the third on ("second" is a unit of time too); undefined for another word. */
export function ordinalValue(word: string, language: Language): number | undefined {
  const lower = word.toLowerCase();
  const values = table(language);
  if (language === "en") {
    const known = EN_ODD[lower];
    if (known) return known;
    const tens = /^(\w+)-(\w+)$/.exec(lower);
    if (tens && values.has(tens[1]!)) {
      const ones = { first: 1, second: 2 }[tens[2]!] ?? ordinalValue(tens[2]!, "en");
      return ones && ones < 10 ? values.get(tens[1]!)! + ones : undefined;
    }
    if (lower.endsWith("ieth")) return values.get(`${lower.slice(0, -4)}y`);
    return lower.endsWith("th") ? values.get(lower.slice(0, -2)) : undefined;
  }
  if (language === "fr") {
    const stem = /^(.+)ièmes?$/.exec(lower)?.[1];
    if (stem === undefined) return undefined;
    if (stem === "deux") return undefined;
    return FR_ODD[lower] ?? values.get(stem) ?? values.get(`${stem}e`);
  }
  if (language === "de") {
    const stem = /^(.+?)(?:s?t)(?:e[nrsm]?)$/.exec(lower)?.[1];
    if (stem === undefined || stem === "zwei") return undefined;
    const whole = /^(.+?)e[nrsm]?$/.exec(lower)![1]!;
    return DE_ORDINALS[whole] ?? values.get(stem);
  }
  const at = ES_ORDINALS.indexOf(lower.replace(/(?<=.)[oa]s?$/, ""));
  return at > 2 ? at : undefined;
}
