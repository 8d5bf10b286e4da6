/**
 * Training pairs with placeholders: what stands in both sides gets the same placeholder on both, so that a model learns to
 * copy a value it cannot see, and its content may be anything.
 *
 *     "Tom left at 2:30."  "Tom est parti à 14 h 30."   →   "⟨man1⟩ left at ⟨time1⟩."  "⟨man1⟩ est parti à ⟨time1⟩."
 *
 * A number, time, price, measure, ordinal or date is paired when the two sides have its value equally often, in figures or in
 * words; a name or code when the target has it, or what the corpora call it ("Marie" for "Mary"). What has no partner stays
 * as it is on both sides (`unmatched`). A source number in words takes part with `words`: "three years" teaches then
 * what "⟨number1⟩ years" becomes, though a reader's text keeps its words.
 */
import type { RandomStream } from "../../../core/random.ts";
import { fullForm } from "./contact.ts";
import { Claims, findEnglishSpans } from "./english-spans.ts";
import { findTimeWords } from "./english-times.ts";
import { placeName } from "./exonyms.ts";
import type { TargetLanguage } from "./language.ts";
import { findNumberWords } from "./number-words.ts";
import { namesOf } from "./people.ts";
import { type Kind, placeholder, SLOTS } from "./placeholders.ts";
import {
  findOrdinalWords,
  findTargetDates,
  findTargetMeasures,
  findTargetNumbers,
  findTargetOrdinals,
  findTargetPrices,
  findTargetTimes,
  type TargetSpan,
} from "./target-spans.ts";
import { decimal, type Span, type Value, valueKey } from "./values.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface PairOptions {
  readonly vocabulary?: Vocabulary;
  /** Numbers, times and ordinals in English words are paired too. @default false */
  readonly words?: boolean;
  /** Gives each value a slot at random, so that all slots are learnt; without, they come in order. */
  readonly random?: RandomStream;
  /** With `random`: how often a person or a place becomes a plain name, as one is that no list has. @default 0 */
  readonly blur?: number;
}

export interface PairedValue {
  readonly placeholder: string;
  readonly kind: Kind;
  readonly value: Value;
  /** What stood in each side, first occurrences. */
  readonly source: string;
  readonly target: string;
}

export interface ProtectedPair {
  readonly source: string;
  readonly target: string;
  readonly values: readonly PairedValue[];
  /** Spans of the source without a partner. */
  readonly unmatched: readonly Span[];
}

/** Source spans in words, which only training looks at. */
function wordSpans(text: string): Span[] {
  const numbers = findNumberWords(text, "en").map(
    ({ start, end, value }): Span => ({
      start,
      end,
      kind: "number",
      value: { type: "number", number: decimal(value) },
    }),
  );
  const ordinals = findOrdinalWords(text, "en").map(({ start, end, keys }): Span => {
    return { start, end, kind: "ordinal", value: { type: "ordinal", number: Number(keys[0]!.slice(1)) } };
  });
  return [...ordinals, ...findTimeWords(text), ...numbers];
}

type Finder = (text: string, language: TargetLanguage) => TargetSpan[];

/** The finders of target spans for what a source value is, the longest things first. */
const FINDERS: readonly (readonly [type: Value["type"], find: Finder])[] = [
  ["date", findTargetDates],
  ["time", findTargetTimes],
  ["price", findTargetPrices],
  ["measure", findTargetMeasures],
  ["ordinal", findTargetOrdinals],
  ["number", findTargetNumbers],
];

/** Every form that a copied text may have in the target. */
function formsOf({ kind, value }: Span, language: TargetLanguage): string[] {
  if (value.type !== "text") return [];
  if (kind === "place") return [value.text, placeName(value.text, language), value.text.replaceAll(" ", "-")];
  return kind === "man" || kind === "woman" ? [...namesOf(value.text)] : [value.text];
}

const WORD_BEFORE = /[\p{L}\p{N}]$/u;
const WORD_AFTER = /^[\p{L}\p{N}]/u;
/** A German name may have its genitive s. */
const GENITIVE = /^(?!s(?![\p{L}\p{N}]))[\p{L}\p{N}]/u;

/** Where a text stands as a word of its own. */
function occurrences(text: string, form: string, after: RegExp): TargetSpan[] {
  const found: TargetSpan[] = [];
  for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length)) {
    const end = at + form.length;
    const apart =
      !WORD_BEFORE.test(text.slice(Math.max(0, at - 2), at)) && !after.test(text.slice(end, end + 3));
    if (apart) found.push({ start: at, end, keys: [] });
  }
  return found;
}

/** The occurrences of the first form that occurs. */
function findText(text: string, forms: readonly string[], language: TargetLanguage): TargetSpan[] {
  for (const form of forms) {
    const found = occurrences(text, form, language === "de" ? GENITIVE : WORD_AFTER);
    if (found.length > 0) return found;
  }
  return [];
}

const MACRONS: Record<string, string> = { ō: "o", Ō: "O", ū: "u", Ū: "U" };

/** "Tōkyō" is Tokyo: a letter for a letter, so that offsets stay. */
function plainVowels(text: string): string {
  return text.replace(/[ōŌūŪ]/g, (letter) => MACRONS[letter]!);
}

interface Match {
  readonly spans: readonly Span[];
  readonly targets: readonly TargetSpan[];
}

/** Groups of source spans that say the same, with the target spans that do. */
function matchAll(spans: readonly Span[], target: string, language: TargetLanguage): Match[] {
  const groups = new Map<string, Span[]>();
  for (const span of spans) {
    const key = `${span.value.type === "text" ? span.kind : ""} ${valueKey(span.value)}`;
    groups.set(key, [...(groups.get(key) ?? []), span]);
  }
  const claims = new Claims(target.length);
  const matches: Match[] = [];
  const free = (found: readonly TargetSpan[]) => found.filter(({ start, end }) => claims.free(start, end));
  const take = (group: readonly Span[], targets: readonly TargetSpan[]) => {
    claims.claim(targets.map(({ start, end }) => ({ ...group[0]!, start, end })));
    matches.push({ spans: group, targets });
  };
  // Names first: "M. Cinq" and "7-Eleven" hold no numbers.
  const copied = plainVowels(target);
  for (const group of groups.values()) {
    const forms = formsOf(group[0]!, language);
    if (forms.length === 0) continue;
    const found = free(findText(copied, forms, language));
    if (found.length > 0) take(group, found);
  }
  for (const [type, find] of FINDERS) {
    const mine = [...groups.values()].filter((group) => group[0]!.value.type === type);
    if (mine.length === 0) continue;
    const all = find(target, language);
    for (const group of mine) {
      const key = valueKey(group[0]!.value);
      const found = distinct(free(all.filter(({ keys }) => keys.includes(key))));
      if (found.length === group.length)
        take(
          group,
          found.map((one) => widen(one, group[0]!)),
        );
    }
  }
  return matches;
}

/** Two patterns may find one thing; the longer finding stands. */
function distinct(found: readonly TargetSpan[]): TargetSpan[] {
  const kept: TargetSpan[] = [];
  for (const one of [...found].sort((a, b) => b.end - b.start - (a.end - a.start)))
    if (kept.every(({ start, end }) => one.end <= start || one.start >= end)) kept.push(one);
  return kept.sort((a, b) => a.start - b.start);
}

/** A time with a.m. or p.m. takes the part of the day with it: its placeholder says 19 h 30. */
function widen(span: TargetSpan, { value }: Span): TargetSpan {
  return value.type === "time" && value.half && span.wide ? { ...span, end: span.wide } : span;
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly character: string;
}

/** Writes placeholders over pieces of a text, with the full words before them. */
function write(text: string, pieces: readonly Piece[], before: (text: string) => string): string {
  let out = "";
  let from = 0;
  for (const { start, end, character } of [...pieces].sort((a, b) => a.start - b.start)) {
    out = before(out + text.slice(from, start)) + character;
    from = end;
  }
  return out + text.slice(from);
}

/**
 * @example
 * const { values } = protectPair("I saw Tom at 2:30.", "J'ai vu Tom à 14 h 30.", "fr");
 * values.map(({ kind, target }) => `${kind} ${target}`); // ["man Tom", "time 14 h 30"]
 */
export function protectPair(
  source: string,
  target: string,
  language: TargetLanguage,
  options: PairOptions = {},
): ProtectedPair {
  const { vocabulary, words = false, random, blur = 0 } = options;
  const read = findEnglishSpans(source, vocabulary);
  const claims = new Claims(source.length);
  claims.claim(read);
  if (words) claims.claim(wordSpans(source));
  const spans = claims.sorted();
  const matches = matchAll(spans, target, language).sort((a, b) => a.spans[0]!.start - b.spans[0]!.start);
  const free = new Map<Kind, number[]>();
  const left: Piece[] = [];
  const right: Piece[] = [];
  const values: PairedValue[] = [];
  const paired = new Set<Span>();
  for (const { spans: group, targets } of matches) {
    const first = group[0]!;
    const blurred = ["man", "woman", "place"].includes(first.kind) && random && random.uniform() < blur;
    const kind = blurred ? "name" : first.kind;
    const slots = free.get(kind) ?? Array.from({ length: SLOTS }, (_, slot) => slot);
    free.set(kind, slots);
    if (slots.length === 0) continue;
    const [slot] = slots.splice(random ? Math.floor(random.uniform() * slots.length) : 0, 1);
    const character = placeholder(kind, slot!);
    for (const span of group) {
      left.push({ ...span, character });
      paired.add(span);
    }
    for (const span of targets) right.push({ ...span, character });
    const [{ start, end }] = targets as readonly [TargetSpan];
    const said = { source: source.slice(first.start, first.end), target: target.slice(start, end) };
    values.push({ placeholder: character, kind, value: first.value, ...said });
  }
  return {
    source: write(source, left, (text) => text),
    target: write(target, right, (text) => fullForm(text, language)),
    values,
    // Words that found no partner are no failure: a reader's text keeps them.
    unmatched: read.filter((span) => !paired.has(span)),
  };
}
