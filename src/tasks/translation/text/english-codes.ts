/** What is copied as it stands: addresses, telephone numbers, codes, versions, and what nobody can translate. */
import type { Span, Value } from "./values.ts";

type Finder = readonly [pattern: RegExp, accept?: (match: string) => boolean];

const LETTERS = "[\\p{L}\\p{M}]";

/** Addresses come first: no number and no name is looked for in them. */
const ADDRESSES: readonly Finder[] = [
  [/[\p{Co}]+/gu],
  [/(?:https?|ftp):\/\/[^\s<>"]{1,2000}[^\s<>"'.,;:!?)\]]/giu],
  [/(?<![\p{L}\p{N}@.])www\.[^\s<>"]{1,2000}[^\s<>"'.,;:!?)\]]/giu],
  [
    /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-]{1,64}(?:\.[\p{L}\p{N}_%+-]{1,64}){0,8}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu,
  ],
  [
    /(?<![\p{L}\p{N}@.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|org|net|edu|gov|io|dev|app|info|co\.uk|uk|fr|de|es|eu|ch|it|ca|us|jp)(?:\/[^\s<>"]{0,2000}[^\s<>"'.,;:!?)\]])?(?![\p{L}\p{N}-]|\.\p{L})/giu,
  ],
  [/(?<![\p{L}\p{N}@/])[@#][\p{L}\p{N}_]{1,100}/gu, (text) => /[\p{L}_]/u.test(text)],
  // Files and folders.
  [/(?<![\p{L}\p{N}])[A-Za-z]:\\[^\s<>"]{1,1000}[^\s<>"'.,;:!?)]/gu],
  [
    /(?<![\p{L}\p{N}])[\w-]{1,100}\.(?:txt|pdf|docx?|xlsx?|pptx?|jpe?g|png|gif|svg|mp[34]|zip|gz|html?|js|ts|py|json|csv|md|exe)(?![\p{L}\p{N}])/giu,
  ],
  [/(?<![\p{L}\p{N}.~])~?(?:\/[\w.-]{1,100}){2,20}\/?/gu, (text) => /[a-z]/i.test(text)],
];

const isYears = (text: string) => /^[12]\d{3}-[12]\d{3}$/.test(text);
const digitsOf = (text: string) => text.replace(/\D/g, "").length;

/** Figures with marks between them that no number has. */
const FIGURES: readonly Finder[] = [
  // A telephone number: at least seven figures, and a sign that they are no amount.
  [
    /(?<![\p{L}\p{N}.,$€£¥-])(?:\+\d|\(\d|\d)[\d ()./-]{5,24}\d(?![\p{L}\p{N}]|[.,:]\d)/gu,
    (text) =>
      digitsOf(text) >= 7 &&
      !isYears(text) &&
      !/^\d{4}-\d{1,2}-\d{1,2}$|^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}$|^\d+\.\d+$/.test(text) &&
      (/^[+(]|\d[-.]\d/.test(text) || text.split(" ").length >= 3 || /^\d+\/\d+/.test(text)),
  ],
  // Versions and addresses of machines.
  [/(?<![\p{L}\p{N}.])v?\d{1,5}(?:\.\d{1,5}){2,5}(?![\p{L}\p{N}]|\.\d)/gu],
  [/(?<![\p{L}\p{N}/.,])(?:24\/7|9\/11)(?![\p{L}\p{N}/])/gu],
  [/(?<![\p{L}\p{N}])\d{1,2}'\d{1,2}"?(?![\p{L}\p{N}])/gu],
  [/(?<![\p{L}\p{N}#])#\d{1,20}(?:-\d{1,20}){0,3}(?![\p{L}\p{N}])/gu],
];

/** Letters and figures in one word, after measures, times and ordinals took theirs, and words that are none. */
const MIXED: readonly Finder[] = [
  // "kX93-ttb": what nobody can pronounce goes with the figures.
  [
    new RegExp(
      `(?<!${LETTERS}|[\\p{N}_])[\\p{L}\\p{N}_]{1,60}(?:-[\\p{L}\\p{N}_]{1,60}){1,6}(?!${LETTERS}|[\\p{N}_])`,
      "gu",
    ),
    (text) =>
      /\p{L}\d|\d\p{L}/u.test(text) &&
      text.split("-").every((part) => /\d/.test(part) || !/[aeiouy]/i.test(part)),
  ],
  [
    new RegExp(`(?<!${LETTERS}|[\\d_])[A-Z0-9]{1,20}(?:[-/.][A-Z0-9]{1,20}){0,6}(?!${LETTERS}|[\\d_])`, "gu"),
    (text) => /\d/.test(text) && /[A-Z]/.test(text),
  ],
  [
    new RegExp(`(?<!${LETTERS}|[\\p{N}_])[\\p{L}\\p{M}\\p{N}_]{2,60}(?!${LETTERS}|[\\p{N}_])`, "gu"),
    (text) => /[\p{N}_]/u.test(text) && /\p{L}/u.test(text) && !/^\d+s$/.test(text),
  ],
  [/(?<![\p{L}\p{M}])[\p{L}\p{M}]{61,}/gu],
];

/** Signs that the corpora do not have: no model knows them. Those side by side become one code. */
const SIGNS: readonly Finder[] = [[/[^\p{L}\p{M}\d\s.,;:!?'"()\u2026-]/gu]];

function find(text: string, finders: readonly Finder[]): Span[] {
  return finders.flatMap(([pattern, accept]) =>
    Array.from(text.matchAll(pattern))
      .filter(([match]) => accept?.(match) ?? true)
      .map((match): Span => {
        const value: Value = { type: "text", text: match[0] };
        return { start: match.index, end: match.index + match[0].length, kind: "code", value };
      }),
  );
}

export const findAddresses = (text: string): Span[] => find(text, ADDRESSES);
export const findFigures = (text: string): Span[] => find(text, FIGURES);
export const findMixed = (text: string): Span[] => find(text, MIXED);
export const findSigns = (text: string): Span[] => find(text, SIGNS);
