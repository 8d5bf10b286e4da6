/**
 * The spans of a translation, for training pairs: a number, time or date as French, German or Spanish write it, in figures or
 * in words. A reading that the notation leaves open ("1.000" is a thousand or one) is kept open: `keys` has both.
 */
import type { TargetLanguage } from "./language.ts";
import { findNumberWords, ordinalValue } from "./number-words.ts";
import { MONTHS, WEEKDAYS } from "./render.ts";
import { decimal, type Value, valueKey } from "./values.ts";

export interface TargetSpan {
  readonly start: number;
  readonly end: number;
  /** `valueKey` of what it may say. */
  readonly keys: readonly string[];
  /** Where a time ends with its part of the day: "sept heures du soir". */
  readonly wide?: number;
}

const FIGURES = "\\d{1,3}(?:[ .,\\u202f]\\d{3}){1,6}(?!\\d)(?:[.,]\\d{1,20})?|\\d{1,40}(?:[.,]\\d{1,20})?";
const BEFORE = "(?<![\\p{L}\\p{N}_]|\\p{N}[.,:])";

/** What figures may say: the last mark is a decimal one unless three figures follow it, and then it may be either. */
function readings(figures: string): string[] {
  const marks = figures.match(/[., \u202f]/g) ?? [];
  const plain = figures.replace(/[., \u202f]/g, "");
  if (marks.length === 0) return [plain];
  const last = Math.max(figures.lastIndexOf("."), figures.lastIndexOf(","));
  const asDecimal =
    last < 0 ? undefined : `${figures.slice(0, last).replace(/[., \u202f]/g, "")}.${figures.slice(last + 1)}`;
  const grouped = /^\d{1,3}([., \u202f])\d{3}(?:\1\d{3})*$/.test(figures);
  return [
    ...(grouped ? [plain] : []),
    ...(asDecimal && marks.filter((m) => m === figures[last]).length === 1 ? [asDecimal] : []),
  ];
}

function collect(text: string, pattern: RegExp, make: (match: RegExpExecArray) => Value[]): TargetSpan[] {
  return Array.from(text.matchAll(pattern), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
    keys: make(match).map(valueKey),
  })).filter(({ keys }) => keys.length > 0);
}

const AFTER_NUMBER = "(?![\\p{L}\\p{N}_]|[.,:]\\p{N})";
const NUMBER = new RegExp(`(?:(?<=^|[\\s(])[-+]|${BEFORE})(?:${FIGURES})(?:${AFTER_NUMBER}|(?=er\\b))`, "gu");

export function findTargetNumbers(text: string, language: TargetLanguage): TargetSpan[] {
  const figures = collect(text, NUMBER, ([match]) => {
    const sign = /^[-+]/.exec(match)?.[0] ?? "";
    return readings(match.slice(sign.length)).map((digits) => ({
      type: "number",
      number: decimal(sign + digits),
    }));
  });
  const words = findNumberWords(text, language).map(({ start, end, value }) => ({
    start,
    end,
    keys: [valueKey({ type: "number", number: decimal(value) })],
  }));
  return [...figures, ...words];
}

const CURRENCIES: Record<string, RegExp> = {
  $: /^(?:US-)?(?:\$|dollars?|d[óo]lar(?:es)?)$/i,
  "€": /^(?:€|euros?)$/i,
  "£": /^(?:£|livres?|pfund|libras?)$/i,
  "¥": /^(?:¥|yens?|yenes)$/i,
};
const PRICE_AFTER = new RegExp(
  `${BEFORE}(?<figures>${FIGURES}) ?(?<currency>[$€£¥]|(?:US-)?(?:dollars?|dólar(?:es)?|euros?|livres|pfund|libras|yens?|yenes)(?!\\p{L}))`,
  "giu",
);
const PRICE_BEFORE = new RegExp(
  `(?<!\\p{L})(?<currency>[$€£¥]) ?(?<figures>${FIGURES})(?: d[óo]lares)?`,
  "giu",
);
const WORD_PRICE = /^ (?<currency>dollars?|dólar(?:es)?|euros?|livres|pfund|libras|yens?|yenes)(?!\p{L})/iu;

function currencyOf(text: string): string | undefined {
  return Object.keys(CURRENCIES).find((symbol) => CURRENCIES[symbol]!.test(text));
}

export function findTargetPrices(text: string, language: TargetLanguage): TargetSpan[] {
  const price = (match: RegExpExecArray): Value[] => {
    const { figures, currency } = match.groups as Record<string, string>;
    const symbol = currencyOf(currency!);
    if (symbol === undefined) return [];
    return readings(figures!).map((digits) => ({ type: "price", number: decimal(digits), currency: symbol }));
  };
  const figures = [PRICE_AFTER, PRICE_BEFORE].flatMap((pattern) => collect(text, pattern, price));
  const words = findNumberWords(text, language).flatMap(({ start, end, value }): TargetSpan[] => {
    const match = WORD_PRICE.exec(text.slice(end, end + 20));
    const symbol = match && currencyOf(match.groups!.currency!);
    if (!symbol) return [];
    const keys = [valueKey({ type: "price", number: decimal(value), currency: symbol })];
    return [{ start, end: end + match[0].length, keys }];
  });
  return [...figures, ...words];
}

const UNIT = "km/h|km|cm|mm|kg|mg|ml|°C|°F|°|ºC|ºF|º|g|m|l|L|GB|MB|Go|Mo";
const MEASURE = new RegExp(
  `${BEFORE}(?<figures>${FIGURES}) ?(?:(?<percent>%|pour ?cents?|prozent|por ?ciento)|(?<unit>${UNIT}))(?![\\p{L}\\p{N}])`,
  "giu",
);
const WORD_PERCENT = /^ (?:pour ?cents?|prozent|por ?ciento)(?!\p{L})/iu;

export function findTargetMeasures(text: string, language: TargetLanguage): TargetSpan[] {
  const figures = collect(text, MEASURE, (match) => {
    const { figures, percent, unit } = match.groups as Record<string, string | undefined>;
    const symbol = percent ? "%" : unit!.replace("º", "°");
    return readings(figures!).map((digits) => ({ type: "measure", number: decimal(digits), unit: symbol }));
  });
  const words = findNumberWords(text, language).flatMap(({ start, end, value }): TargetSpan[] => {
    const match = WORD_PERCENT.exec(text.slice(end, end + 20));
    if (!match) return [];
    const keys = [valueKey({ type: "measure", number: decimal(value), unit: "%" })];
    return [{ start, end: end + match[0].length, keys }];
  });
  return [...figures, ...words];
}

const ROMAN: Record<string, number> = { I: 1, V: 5, X: 10 };

function romanValue(text: string): number {
  return [...text].reduce((sum, letter, i) => {
    const value = ROMAN[letter]!;
    return sum + (value < (ROMAN[text[i + 1] ?? ""] ?? 0) ? -value : value);
  }, 0);
}

const ORDINALS: Record<TargetLanguage, readonly RegExp[]> = {
  fr: [
    /(?<![\p{L}\p{N}.,])(?<figures>\d{1,4})(?:er|re|e|è|ème|ième)s?(?![\p{L}\p{N}])/gu,
    /(?<![\p{L}\p{N}])(?<roman>[IVX]{1,6})(?:e|è|ème)(?![\p{L}\p{N}])/gu,
  ],
  de: [/(?<![\p{L}\p{N}.,])(?<figures>\d{1,3})\.(?= \p{L})/gu],
  es: [
    /(?<![\p{L}\p{N}.,])(?<figures>\d{1,4})\.?[ºª°]/gu,
    /(?<=siglo )(?<roman>[IVX]{1,6})(?![\p{L}\p{N}])/gu,
  ],
};
const WORD = /\p{L}+(?:-\p{L}+)*/gu;

export function findTargetOrdinals(text: string, language: TargetLanguage): TargetSpan[] {
  const figures = ORDINALS[language].flatMap((pattern) =>
    collect(text, pattern, ({ groups }) => {
      const number = groups!.figures ? Number(groups!.figures) : romanValue(groups!.roman!);
      return [{ type: "ordinal", number }];
    }),
  );
  return [...figures, ...findOrdinalWords(text, language)];
}

/** Ordinals in words, as `TargetSpan`s, English ones too. */
export function findOrdinalWords(text: string, language: "en" | TargetLanguage): TargetSpan[] {
  return collect(text, WORD, ([word]) => {
    const number = ordinalValue(word, language);
    return number === undefined ? [] : [{ type: "ordinal", number }];
  });
}

/** Parts of the day that a.m. and p.m. became. */
const PART_OF_DAY: Record<TargetLanguage, RegExp> = {
  fr: /^ (?:du matin|de l'après-midi|du soir|dans la matinée)(?!\p{L})/u,
  de: /^ (?:morgens|vormittags|nachmittags|abends|nachts|früh|am (?:Morgen|Vormittag|Nachmittag|Abend))(?!\p{L})/u,
  es: /^(?: de la (?:mañana|tarde|noche|madrugada)(?!\p{L})| ?[ap]\. ?m\.?| ?[ap]m(?!\p{L}))/iu,
};

const CLOCKS: Record<TargetLanguage, readonly RegExp[]> = {
  fr: [
    /(?<![\p{L}\p{N}:.,])(?<hour>\d{1,2}) ?(?:h|heures?)(?: ?(?<minute>[0-5]\d))?(?![\p{L}\p{N}])/gu,
    /(?<![\p{L}\p{N}:.,])(?<hour>\d{1,2}) ?:(?<minute>[0-5]\d)(?![\p{L}\p{N}:])/gu,
  ],
  de: [
    /(?<![\p{L}\p{N}:.,])(?<hour>\d{1,2})[:.](?<minute>[0-5]\d)(?: Uhr|(?![\p{L}\p{N}:.,]\p{N}))(?!\p{L})/gu,
    /(?<![\p{L}\p{N}:.,])(?<hour>\d{1,2}) Uhr(?: (?<minute>[0-5]\d))?(?![\p{L}\p{N}])/gu,
  ],
  es: [
    /(?<![\p{L}\p{N}:.,])(?<hour>\d{1,2})[:.](?<minute>[0-5]\d)(?: ?h(?:s|rs|oras)?\b)?(?![\p{L}\p{N}:])/gu,
    /(?<=(?:^|[^\p{L}])las? )(?<hour>\d{1,2})(?![\p{L}\p{N}:.,]\p{N}|[\p{L}\p{N}])/giu,
  ],
};

/** What may follow an hour in words, with its minutes; the hour before it when they are to the hour. */
const FR_REST = /^ heures?(?: (?<half>et demie?)| (?<quarter>et quart)| (?<to>moins le quart))?(?!\p{L})/u;
const ES_REST = /^(?: y (?:(?<half>media)|(?<quarter>cuarto))| (?<to>menos cuarto))(?!\p{L})/u;

function timeKey(hour: number, minute: number): string {
  return valueKey({ type: "time", hour: (hour + 24) % 24, minute });
}

function minutesOf(groups: Record<string, string | undefined>): number {
  return groups.half ? 30 : groups.quarter ? 15 : groups.to ? -15 : 0;
}

/** Times that stand in words, from the numbers among them. */
function wordTimes(
  text: string,
  language: TargetLanguage,
): { start: number; end: number; hour: number; minute: number }[] {
  const numbers = findNumberWords(text, language);
  return numbers.flatMap(({ start, end, value: hour }, i) => {
    if (hour > 24) return [];
    const after = text.slice(end, end + 30);
    const before = text.slice(Math.max(0, start - 20), start);
    const next = numbers[i + 1];
    if (language === "de") {
      const half = /(?:^|\P{L})(halb )$/iu.exec(before);
      if (half) return [{ start: start - half[1]!.length, end, hour: hour - 1, minute: 30 }];
      const quarter = /(?:^|\P{L})(Viertel (?<way>vor|nach) )$/iu.exec(before);
      if (quarter) {
        const to = quarter.groups!.way!.toLowerCase() === "vor";
        return [{ start: start - quarter[1]!.length, end, hour: to ? hour - 1 : hour, minute: to ? 45 : 15 }];
      }
      if (!/^ Uhr(?!\p{L})/u.test(after)) return [];
      const minutes = next?.start === end + 5 && next.value < 60 ? next : undefined;
      return [{ start, end: minutes ? minutes.end : end + 4, hour, minute: minutes?.value ?? 0 }];
    }
    const rest = (language === "fr" ? FR_REST : ES_REST).exec(after);
    if (language === "es" && !/(?:^|\P{L})las $/iu.test(before)) return [];
    if (language === "fr" && !rest) return [];
    const stop = end + (rest?.[0].length ?? 0);
    const minute = rest ? minutesOf(rest.groups!) : 0;
    if (minute < 0) return [{ start, end: stop, hour: hour - 1, minute: 45 }];
    const joined = language === "fr" ? 1 : 3;
    const minutes = minute === 0 && next?.start === stop + joined && next.value < 60 ? next : undefined;
    if (minutes && (language === "fr" || text.slice(stop, next!.start) === " y "))
      return [{ start, end: minutes.end, hour, minute: minutes.value }];
    return [{ start, end: stop, hour, minute }];
  });
}

export function findTargetTimes(text: string, language: TargetLanguage): TargetSpan[] {
  const figures = CLOCKS[language].flatMap((pattern) =>
    Array.from(text.matchAll(pattern), (match) => {
      const { hour, minute } = match.groups as Record<string, string | undefined>;
      const [start, end] = [match.index, match.index + match[0].length];
      return { start, end, hour: Number(hour), minute: Number(minute ?? 0) };
    }),
  );
  return [...figures, ...wordTimes(text, language)]
    .filter(({ hour }) => hour <= 24)
    .map(({ start, end, hour, minute }) => {
      const part = PART_OF_DAY[language].exec(text.slice(end, end + 24));
      // "p.m." at the end of a sentence leaves it its dot.
      const length =
        part && end + part[0].length === text.length ? part[0].replace(/\.$/, "").length : part?.[0].length;
      return { start, end, keys: [timeKey(hour, minute)], ...(length ? { wide: end + length } : {}) };
    });
}

const DATES: Record<TargetLanguage, RegExp> = {
  fr: new RegExp(
    `(?<!\\p{L})(?:(?<weekday>${WEEKDAYS.fr.join("|")}) )?(?<!\\p{N})(?<day>\\d{1,2}|premier)(?:er)? (?<month>${MONTHS.fr.join("|")})(?!\\p{L})(?: (?<year>\\d{4})(?!\\p{N}))?`,
    "giu",
  ),
  de: new RegExp(
    `(?<!\\p{L})(?:(?<weekday>${WEEKDAYS.de.join("|")}),? (?:(?:dem|den|der) )?)?(?<!\\p{N})(?<day>\\d{1,2})\\. (?<month>${MONTHS.de.join("|")})(?!\\p{L})(?: (?<year>\\d{4})(?!\\p{N}))?`,
    "gu",
  ),
  es: new RegExp(
    `(?<!\\p{L})(?:(?<weekday>${WEEKDAYS.es.join("|")}),? )?(?<!\\p{N})(?<day>\\d{1,2})º? de (?<month>${MONTHS.es.join("|")})(?!\\p{L})(?: del? (?<year>\\d{4})(?!\\p{N}))?`,
    "giu",
  ),
};

export function findTargetDates(text: string, language: TargetLanguage): TargetSpan[] {
  const at = (names: readonly string[], name: string) =>
    names.findIndex((one) => one.toLowerCase() === name.toLowerCase());
  return collect(text, DATES[language], ({ groups }) => {
    const { weekday, day, month, year } = groups as Record<string, string | undefined>;
    return [
      {
        type: "date",
        day: day === "premier" ? 1 : Number(day),
        month: at(MONTHS[language], month!) + 1,
        ...(year ? { year: Number(year) } : {}),
        ...(weekday ? { weekday: at(WEEKDAYS[language], weekday) } : {}),
      },
    ];
  });
}
