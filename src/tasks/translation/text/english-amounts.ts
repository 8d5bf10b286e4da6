/** Numbers, prices, measures, ordinals and years in English text. */
import { type Decimal, decimal, type Scale, type Span, type Value } from "./values.ts";

/** Figures of one amount: grouped by commas, or plain, with or without decimals. Bounded, so that no run costs twice. */
const FIGURES =
  "(?:\\d{1,3}(?:,\\d{3}){1,6}(?!\\d)(?:\\.\\d{1,20})?|\\d{1,40}(?:\\.\\d{1,20})?|\\.\\d{1,20})";
/** Nothing before that would make it part of another number or word. */
const BEFORE = "(?<![\\p{L}\\p{M}\\p{N}_]|[\\p{N}][.,:/]|[.,](?=\\.))";
/** Nothing after that would. */
const AFTER = "(?![\\p{L}\\p{M}\\p{N}_]|[.,:/]\\p{N})";
const SIGN = "(?<=^|[\\s(])[-+]";

const CURRENCY = "(?:US|CA|A|C|NZ|HK|S)?\\$|[€£¥₹₽₩₺¢]";
const CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|CNY|INR|MXN|BRL|SEK|NOK|DKK|PLN|CZK";

const SCALES: Record<string, Scale> = {
  thousand: "thousand",
  k: "thousand",
  million: "million",
  m: "million",
  mn: "million",
  billion: "billion",
  b: "billion",
  bn: "billion",
  trillion: "trillion",
};
const SCALE = "(?: ?(?:thousand|million|billion|trillion)|[kmb]|mn|bn)(?![\\p{L}\\p{N}])";

/** Symbols after a figure, and those that need to stand close. "70F" and "23C" may be seats: they are copied as they stand. */
const UNITS =
  "km/h|km|cm|mm|kg|mg|µg|ml|mL|mph|kph|kWh|kW|MW|GB|MB|TB|kB|KB|GHz|MHz|kHz|Hz|°C|°F|°|lbs?|oz|ft|mi|m|g|l|L|W|V|h|m²|m³|km²|cm²|sq ft|dB|%|‰|ºC|ºF";
const CLOSE_UNITS = "px|mAh";

const PRICE_BEFORE = new RegExp(
  `(?<![\\p{L}\\p{N}$€£¥])(?<currency>${CURRENCY}) ?(?<figures>${FIGURES})(?<scale>${SCALE})?${AFTER}`,
  "giu",
);
const PRICE_AFTER = new RegExp(
  `${BEFORE}(?<figures>${FIGURES}) ?(?<currency>[€£¥₹₽₩₺¢$]|(?:${CODES})(?![\\p{L}\\p{N}]))`,
  "gu",
);
const CODE_BEFORE = new RegExp(
  `(?<![\\p{L}\\p{N}])(?<currency>${CODES}) (?<figures>${FIGURES})${AFTER}`,
  "gu",
);
const MEASURE = new RegExp(
  `(?:${SIGN}|${BEFORE})(?<figures>${FIGURES})(?: ?(?<unit>${UNITS})|(?<close>${CLOSE_UNITS}))(?![\\p{L}\\p{M}\\p{N}_/²³])`,
  "gu",
);
const ORDINAL = /(?<![\p{L}\p{M}\p{N}_.,])(\d{1,4})(?:st|nd|rd|th)(?![\p{L}\p{M}\p{N}_])/giu;
/** A decade keeps its s: "the 1990s" → "the ⟨year1⟩s". */
const NUMBER = new RegExp(
  `(?:${SIGN}|${BEFORE})(?<figures>${FIGURES})(?![\\p{L}\\p{M}\\p{N}_]|[.,:/]\\p{N})|${BEFORE}(?<decade>\\d{2,4})(?='?s(?![\\p{L}\\p{N}]))`,
  "gu",
);
const FRACTION = /(?<![\p{L}\p{M}\p{N}_.,/])\d{1,4}\/\d{1,4}(?![\p{L}\p{M}\p{N}_/]|[.,]\p{N})/gu;

/** Words after which four figures are a year. */
const YEAR_AFTER =
  /(?:^|[^\p{L}])(?:in|since|of|by|until|till|from|to|before|after|during|around|about|year|early|late|mid|summer|winter|spring|autumn|fall|january|february|march|april|may|june|july|august|september|october|november|december|class|circa|and)[ -,]{1,2}(?:the )?$/iu;
/** What follows a number of things: a plural, or people. */
const THINGS =
  /^ (?:[\p{Ll}]+ ){0,1}(?:\p{Ll}+s|people|men|women|children|yen|yuan|feet|percent|square)(?![\p{L}])/u;

/** What the figures of a match say. */
function decimalOf(figures: string): Decimal {
  const digits = figures.replaceAll(",", "");
  return { digits: digits.startsWith(".") ? `0${digits}` : digits, grouped: figures.includes(",") };
}

function collect(
  text: string,
  pattern: RegExp,
  make: (match: RegExpExecArray) => [Span["kind"], Value] | undefined,
): Span[] {
  const spans: Span[] = [];
  for (const match of text.matchAll(pattern)) {
    const made = make(match);
    if (made === undefined) continue;
    const [kind, value] = made;
    spans.push({ start: match.index, end: match.index + match[0].length, kind, value });
  }
  return spans;
}

/** "$20", "€5.50", "20 €", "USD 20", "$3 billion". */
export function findPrices(text: string): Span[] {
  const price = (match: RegExpExecArray): [Span["kind"], Value] => {
    const { currency, figures, scale } = match.groups as Record<string, string | undefined>;
    const size = scale === undefined ? undefined : SCALES[scale.trim().toLowerCase()];
    const number = decimalOf(figures!);
    return ["price", { type: "price", number, currency: currency!, ...(size ? { scale: size } : {}) }];
  };
  return [PRICE_BEFORE, PRICE_AFTER, CODE_BEFORE].flatMap((pattern) => collect(text, pattern, price));
}

/** "20%", "70°F", "5 km", "-3°C". */
export function findMeasures(text: string): Span[] {
  return collect(text, MEASURE, (match) => {
    const { figures, unit, close } = match.groups as Record<string, string | undefined>;
    const sign = /^[-+]/.exec(match[0])?.[0] ?? "";
    const number = decimalOf(figures!);
    const symbol = (unit ?? close)!.replace("º", "°");
    return [
      "measure",
      { type: "measure", number: { ...number, digits: sign + number.digits }, unit: symbol },
    ];
  });
}

export function findOrdinals(text: string): Span[] {
  return collect(text, ORDINAL, (match) => ["ordinal", { type: "ordinal", number: Number(match[1]) }]);
}

/** Whether four figures are a year, from what stands around them. */
function isYear(text: string, start: number, end: number): boolean {
  if (!/^(?:1\d{3}|20\d{2})$/.test(text.slice(start, end))) return false;
  if (THINGS.test(text.slice(end, end + 60))) return false;
  return (
    YEAR_AFTER.test(text.slice(Math.max(0, start - 20), start)) ||
    /(?<!\d)[12]\d{3}-$/.test(text.slice(Math.max(0, start - 6), start)) ||
    /^['’]?s\b/.test(text.slice(end))
  );
}

/** What is left of figures: numbers, years, fractions. */
export function findNumbers(text: string): Span[] {
  const fractions = collect(text, FRACTION, (match) => ["number", { type: "text", text: match[0] }]);
  const numbers = collect(text, NUMBER, (match) => {
    const { figures, decade } = match.groups as Record<string, string | undefined>;
    const end = match.index + match[0].length;
    const sign = /^[-+]/.exec(match[0])?.[0] ?? "";
    if (isYear(text, match.index, end)) return ["year", { type: "number", number: decimal(match[0]) }];
    const number = decimalOf((figures ?? decade)!);
    return ["number", { type: "number", number: { ...number, digits: sign + number.digits } }];
  });
  return [...fractions, ...numbers];
}
