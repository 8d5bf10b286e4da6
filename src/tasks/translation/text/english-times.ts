/** Times and dates in English text. */
import { findNumberWords } from "./number-words.ts";
import { MONTHS, WEEKDAYS } from "./render.ts";
import type { Span, Value } from "./values.ts";

const HALF = "(?<half>a\\.?m\\.?|p\\.?m\\.?)(?![\\p{L}\\p{N}])";
const CLOCK = new RegExp(
  `(?<![\\p{L}\\p{N}:.,$])(?<hour>\\d{1,2})[:.](?<minute>[0-5]\\d)(?<seconds>:[0-5]\\d)?(?: ?${HALF})(?![\\p{N}:])|(?<![\\p{L}\\p{N}:.,$])(?<hour24>\\d{1,2}):(?<minute24>[0-5]\\d)(?<seconds24>:[0-5]\\d)?(?![\\p{N}:]|\\p{L})`,
  "giu",
);
const HOUR = new RegExp(`(?<![\\p{L}\\p{N}:.,$/])(?<hour>\\d{1,2}) ?${HALF}`, "giu");
const O_CLOCK = /(?<![\p{L}\p{N}:.,$/])(\d{1,2}) o'?clock(?![\p{L}\p{N}])/giu;

function halfOf(text: string | undefined): { half?: "am" | "pm" } {
  return text === undefined ? {} : { half: /^a/i.test(text) ? "am" : "pm" };
}

/** The last dot of "p.m." ends the sentence too, where nothing follows. */
function endOf(text: string, end: number): number {
  return text[end - 1] === "." && /^["')\]]*$/.test(text.slice(end, end + 4)) && end + 4 >= text.length
    ? end - 1
    : end;
}

/** "7:30", "7:30 p.m.", "7pm", "7 o'clock", "14:05". */
export function findTimes(text: string): Span[] {
  const spans: Span[] = [];
  const push = (start: number, end: number, hour: number, rest: { minute?: number; half?: "am" | "pm" }) => {
    if (hour > 24 || (rest.half && (hour > 12 || hour === 0))) return;
    spans.push({ start, end: endOf(text, end), kind: "time", value: { type: "time", hour, ...rest } });
  };
  for (const match of text.matchAll(CLOCK)) {
    const { hour, hour24, minute, minute24, seconds, seconds24, half } = match.groups as Record<
      string,
      string | undefined
    >;
    const end = match.index + match[0].length;
    if (seconds ?? seconds24) {
      const value: Value = { type: "text", text: match[0] };
      spans.push({ start: match.index, end, kind: "time", value });
    } else
      push(match.index, end, Number(hour ?? hour24), { minute: Number(minute ?? minute24), ...halfOf(half) });
  }
  for (const match of text.matchAll(HOUR))
    push(match.index, match.index + match[0].length, Number(match.groups!.hour), halfOf(match.groups!.half));
  for (const match of text.matchAll(O_CLOCK))
    push(match.index, match.index + match[0].length, Number(match[1]), {});
  return spans;
}

const AT = /(?:^|[^\p{L}])(?:at|by|until|till|before|after|around|about|past|from|to) $/iu;

/**
 * Times in words, for training pairs: "seven o'clock", "half past two", "at six thirty". A reader's text keeps its words.
 */
export function findTimeWords(text: string): Span[] {
  const spans: Span[] = [];
  const phrases = findNumberWords(text, "en");
  const push = (start: number, end: number, hour: number, minute?: number) => {
    if (hour > 12 || hour < 1) return;
    spans.push({ start, end, kind: "time", value: { type: "time", hour, ...(minute ? { minute } : {}) } });
  };
  for (const [i, { start, end, value }] of phrases.entries()) {
    const before = text.slice(Math.max(0, start - 20), start);
    const after = text.slice(end, end + 12);
    const past = /(half|a quarter|quarter) (past|to) $/i.exec(before);
    if (past) {
      const minute = /half/i.test(past[1]!) ? 30 : past[2]!.toLowerCase() === "to" ? 45 : 15;
      const hour = past[2]!.toLowerCase() === "to" ? (value === 1 ? 12 : value - 1) : value;
      push(start - past[0].length, end, hour, minute);
      continue;
    }
    const clock = /^ o'?clock(?!\p{L})/iu.exec(after);
    const next = phrases[i + 1];
    if (clock) push(start, end + clock[0].length, value);
    else if (AT.test(before) && next?.start === end + 1 && [15, 20, 30, 40, 45, 50, 10].includes(next.value))
      push(start, next.end, value, next.value);
    else if (
      AT.test(before) &&
      /^(?:[.,!?]|$| (?:sharp|tomorrow|tonight|in the|on|every|and|or|if|when|o))/i.test(after)
    )
      push(start, end, value);
  }
  return spans;
}

const MONTH_NAMES = MONTHS.en.map((name) => name.slice(0, 3).toLowerCase());
const MONTH = `(?<month>${MONTHS.en.join("|")}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\\.?)`;
const WEEKDAY = `(?:(?<weekday>${WEEKDAYS.en.join("|")}|(?:Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)\\.?),? )?`;
const YEAR = "(?:,? (?<year>[12]\\d{3})(?![\\p{N}\\p{L}]|[,.]\\d))?";
const DAY = "(?<day>\\d{1,2})(?:st|nd|rd|th)?";
const DATES = [
  new RegExp(
    `(?<![\\p{L}\\p{N}])${WEEKDAY}${MONTH} (?:the )?${DAY}(?![\\p{L}\\p{N}:]|[.,/]\\d)${YEAR}`,
    "gu",
  ),
  new RegExp(
    `(?<![\\p{L}\\p{N}])${WEEKDAY}(?:[Tt]he )?(?<![\\p{N}:.,/])${DAY} (?:of )?${MONTH}(?![\\p{L}\\p{N}])${YEAR}`,
    "gu",
  ),
];
const FIGURES = /(?<![\p{L}\p{N}.,:/-])(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?![\p{L}\p{N}/-]|[.,:]\d)/gu;

function inFigures(match: RegExpExecArray): Span | undefined {
  const [text, first, separator, second, third] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  const span = { start: match.index, end: match.index + text.length, kind: "date" } as const;
  const copied: Span = { ...span, value: { type: "text", text } };
  const [a, b] = [Number(first), Number(second)];
  if (first.length === 4) return third.length <= 2 && b <= 12 && Number(third) <= 31 ? copied : undefined;
  if (first.length > 2 || (third.length !== 4 && third.length !== 2) || a > 31 || b > 31 || !a || !b)
    return undefined;
  if (a > 12 && b > 12) return undefined;
  // Three parts with dots and two-figure years may be versions; with four they are dates.
  if (a <= 12 && b <= 12 && a !== b) return { ...copied, flag: "ambiguous date" };
  if (third.length !== 4 || separator !== "/") return copied;
  const [day, month] = b > 12 ? [b, a] : [a, b];
  return { ...span, value: { type: "date", day, month, year: Number(third), figures: true } };
}

/** "March 12, 2026", "the 5th of May", "Mon, Jan. 3", "12/25/2026", "2026-03-12". */
export function findDates(text: string): Span[] {
  const spans: Span[] = [];
  for (const pattern of DATES) {
    for (const match of text.matchAll(pattern)) {
      const { weekday, month, day, year } = match.groups as Record<string, string | undefined>;
      const number = Number(day);
      if (number < 1 || number > 31) continue;
      spans.push({
        start: match.index,
        end: match.index + match[0].length,
        kind: "date",
        value: {
          type: "date",
          day: number,
          month: MONTH_NAMES.indexOf(month!.slice(0, 3).toLowerCase()) + 1,
          ...(year ? { year: Number(year) } : {}),
          ...(weekday
            ? { weekday: WEEKDAYS.en.findIndex((name) => name.startsWith(weekday.slice(0, 3))) }
            : {}),
        },
      });
    }
  }
  for (const match of text.matchAll(FIGURES)) {
    const span = inFigures(match);
    if (span) spans.push(span);
  }
  return spans;
}
