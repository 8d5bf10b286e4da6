/**
 * Writes values as the press of a country does.
 *
 *                English          French             German              Spanish
 *     number     1,234.56         1 234,56           1.234,56            1.234,56
 *     ordinal    21st             21e                21.                 21.º
 *     measure    20%, 70°F        20 %, 70 °F        20 %, 70 °F         20 %, 70 °F
 *     price      $20, $3 billion  20 $, 3 milliards  20 $, 3 Milliarden  20 $, 3000 millones
 *                                 de dollars         Dollar              de dólares
 *     time       2:30 p.m.        14 h 30            14:30 Uhr           14:30
 *     date       March 12, 2026   12 mars 2026       12. März 2026       12 de marzo de 2026
 *
 * Units, currencies and years keep their values: nothing is converted but the spelling. Spaces inside a value are plain
 * ones, as in the corpora. A four-digit number is grouped only where it was.
 */
import { placeName } from "./exonyms.ts";
import type { TargetLanguage } from "./language.ts";
import type { Decimal, Scale, Value } from "./values.ts";

const GROUP: Record<TargetLanguage, string> = { fr: " ", de: ".", es: "." };

export const MONTHS: Record<"en" | TargetLanguage, readonly string[]> = {
  en: "January February March April May June July August September October November December".split(" "),
  fr: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(" "),
  de: "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(" "),
  es: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(" "),
};

export const WEEKDAYS: Record<"en" | TargetLanguage, readonly string[]> = {
  en: "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" "),
  fr: "lundi mardi mercredi jeudi vendredi samedi dimanche".split(" "),
  de: "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split(" "),
  es: "lunes martes miércoles jueves viernes sábado domingo".split(" "),
};

export function renderNumber({ digits, grouped }: Decimal, language: TargetLanguage): string {
  const [whole = "", part] = digits.split(".");
  const sign = /^[-+]?/.exec(whole)![0];
  const figures = whole.slice(sign.length);
  const set = grouped ? figures.replace(/\B(?=(?:\d{3})+$)/g, GROUP[language]) : figures;
  return `${sign}${set}${part === undefined ? "" : `,${part}`}`;
}

/** Symbols that stand after a price, those of which a language writes the word. */
const CURRENCY_WORDS: Record<string, Record<TargetLanguage, readonly [one: string, many: string]>> = {
  $: { fr: ["dollar", "dollars"], de: ["Dollar", "Dollar"], es: ["dólar", "dólares"] },
  "€": { fr: ["euro", "euros"], de: ["Euro", "Euro"], es: ["euro", "euros"] },
  "£": { fr: ["livre", "livres"], de: ["Pfund", "Pfund"], es: ["libra", "libras"] },
  "¥": { fr: ["yen", "yens"], de: ["Yen", "Yen"], es: ["yen", "yenes"] },
  "₹": { fr: ["roupie", "roupies"], de: ["Rupie", "Rupien"], es: ["rupia", "rupias"] },
};

/** English billions are 10⁹: a thousand millions in Spanish, "milliard" in French and German. */
const SCALES: Record<"fr" | "de", Record<Scale, readonly [one: string, many: string]>> = {
  fr: {
    thousand: ["mille", "mille"],
    million: ["million", "millions"],
    billion: ["milliard", "milliards"],
    trillion: ["billion", "billions"],
  },
  de: {
    thousand: ["Tausend", "Tausend"],
    million: ["Million", "Millionen"],
    billion: ["Milliarde", "Milliarden"],
    trillion: ["Billion", "Billionen"],
  },
};

function renderPrice(value: Extract<Value, { type: "price" }>, language: TargetLanguage): string {
  const { number, currency, scale } = value;
  if (scale === undefined) return `${renderNumber(number, language)} ${currency}`;
  const word = CURRENCY_WORDS[currency]?.[language][1] ?? currency;
  const amount = Number(number.digits);
  if (language === "es") return renderSpanishScale(number, scale, amount, word);
  // French counts from two in the plural, German from anything but one.
  const many = language === "fr" ? amount >= 2 : amount !== 1;
  const step = SCALES[language][scale][many ? 1 : 0];
  const of = language === "fr" && scale !== "thousand" ? (/^[aeiouyh]/i.test(word) ? " d'" : " de ") : " ";
  return `${renderNumber(number, language)} ${step}${of}${word}`;
}

function renderSpanishScale(number: Decimal, scale: Scale, amount: number, word: string): string {
  if (scale === "thousand") return `${renderNumber(number, "es")} mil ${word}`;
  if (scale === "trillion")
    return `${renderNumber(number, "es")} ${amount === 1 ? "billón" : "billones"} de ${word}`;
  const millions =
    scale === "million"
      ? number
      : { digits: String(Math.round(amount * 1e6) / 1e3), grouped: number.grouped };
  return `${renderNumber(millions, "es")} ${Number(millions.digits) === 1 ? "millón" : "millones"} de ${word}`;
}

function renderTime(
  { hour, minute, half }: Extract<Value, { type: "time" }>,
  language: TargetLanguage,
): string {
  const h = half === undefined ? hour : (hour % 12) + (half === "pm" ? 12 : 0);
  const mm = minute === undefined ? undefined : String(minute).padStart(2, "0");
  if (language === "fr") return mm === undefined || mm === "00" ? `${h} h` : `${h} h ${mm}`;
  if (language === "de") return mm === undefined ? `${h} Uhr` : `${h}:${mm} Uhr`;
  return `${h}:${mm ?? "00"}`;
}

function renderDate(value: Extract<Value, { type: "date" }>, language: TargetLanguage): string {
  const { day, month, year, weekday, figures } = value;
  if (figures) {
    const two = (n: number) => String(n).padStart(2, "0");
    return language === "de" ? `${two(day)}.${two(month)}.${year}` : `${two(day)}/${two(month)}/${year}`;
  }
  const name = MONTHS[language][month - 1];
  const on = weekday === undefined ? "" : WEEKDAYS[language][weekday];
  if (language === "fr")
    return `${on && `${on} `}${day === 1 ? "1er" : day} ${name}${year === undefined ? "" : ` ${year}`}`;
  if (language === "de") return `${on && `${on}, `}${day}. ${name}${year === undefined ? "" : ` ${year}`}`;
  return `${on && `${on} `}${day} de ${name}${year === undefined ? "" : ` de ${year}`}`;
}

/**
 * A value as a language writes it.
 *
 * @example
 * renderValue({ type: "time", hour: 2, minute: 30, half: "pm" }, "fr"); // "14 h 30"
 */
export function renderValue(value: Value, language: TargetLanguage): string {
  switch (value.type) {
    case "number":
      return renderNumber(value.number, language);
    case "ordinal":
      if (language === "de") return `${value.number}.`;
      if (language === "es") return `${value.number}.º`;
      return value.number === 1 ? "1er" : `${value.number}e`;
    case "measure":
      return `${renderNumber(value.number, language)} ${value.unit}`;
    case "price":
      return renderPrice(value, language);
    case "time":
      return renderTime(value, language);
    case "date":
      return renderDate(value, language);
    case "text":
      return placeName(value.text, language);
  }
}
