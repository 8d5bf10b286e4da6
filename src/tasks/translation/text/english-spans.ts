/** All spans of an English sentence, in order and apart. */
import { findMeasures, findNumbers, findOrdinals, findPrices } from "./english-amounts.ts";
import { findAddresses, findFigures, findMixed, findSigns } from "./english-codes.ts";
import { findNames } from "./english-names.ts";
import { findDates, findTimes } from "./english-times.ts";
import { unknownWords } from "./unknown.ts";
import type { Span } from "./values.ts";
import { type Vocabulary, WORD } from "./vocabulary.ts";

/** Spans that do not overlap: each finder takes what the finders before it left. */
export class Claims {
  readonly spans: Span[] = [];
  readonly #taken: Uint8Array;

  constructor(length: number) {
    this.#taken = new Uint8Array(length);
  }

  taken(at: number): boolean {
    return this.#taken[at] === 1;
  }

  free(start: number, end: number): boolean {
    return !this.#taken.subarray(start, end).includes(1);
  }

  claim(found: readonly Span[]): void {
    for (const span of found) {
      if (!this.free(span.start, span.end)) continue;
      this.#taken.fill(1, span.start, span.end);
      this.spans.push(span);
    }
  }

  sorted(): Span[] {
    return this.spans.sort((a, b) => a.start - b.start);
  }
}

type Finder = readonly [needs: RegExp, find: (text: string) => Span[]];

/** What is longest known as one thing comes first: a date before its year, a price before its number. */
const FINDERS: readonly Finder[] = [
  [/[@#/\\\ue000-\uf8ff\ud800-\udfff]|\.[a-z]/i, findAddresses],
  [/\d/, findDates],
  [/\d/, findFigures],
  [/\d/, findTimes],
  [/\d/, findPrices],
  [/\d/, findMeasures],
  [/\d/, findOrdinals],
  [/[\d_]|[^ -~]|[a-z]{61}/i, findMixed],
  [/\d/, findNumbers],
];

/** "⟨number1⟩" is signs, letters and figures without a space: one code. */
function joinCodes(spans: readonly Span[], text: string): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last?.kind === "code" && span.kind === "code" && last.end === span.start) {
      const { start } = joined.pop()!;
      joined.push({ ...span, start, value: { type: "text", text: text.slice(start, span.end) } });
    } else joined.push(span);
  }
  return joined;
}

/** Words in small letters that the vocabulary does not have are copied as names are. */
function findUnknown(text: string, vocabulary: Vocabulary): Span[] {
  return Array.from(text.matchAll(WORD))
    .filter(([word]) => unknownWords([word], vocabulary).length > 0)
    .map(({ 0: word, index }): Span => {
      const value = { type: "text", text: word } as const;
      return { start: index, end: index + word.length, kind: "name", value, flag: "unknown word" };
    });
}

/**
 * @param vocabulary makes words that it does not have spans too
 * @example
 * findEnglishSpans("Tom paid $20 at 7:30.").map((span) => span.kind); // ["man", "price", "time"]
 */
export function findEnglishSpans(text: string, vocabulary?: Vocabulary): Span[] {
  const claims = new Claims(text.length);
  for (const [needs, find] of FINDERS) if (needs.test(text)) claims.claim(find(text));
  claims.claim(findNames(text, vocabulary, (at) => claims.taken(at)));
  claims.claim(findSigns(text));
  if (vocabulary) claims.claim(findUnknown(text, vocabulary));
  return joinCodes(claims.sorted(), text);
}
