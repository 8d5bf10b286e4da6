/** All spans of an English sentence, in order and apart. */
import { findMeasures, findNumbers, findOrdinals, findPrices } from "./english-amounts.ts";
import { findAddresses, findFigures, findMixed } from "./english-codes.ts";
import { findNames } from "./english-names.ts";
import { findDates, findTimes } from "./english-times.ts";
import type { Span } from "./values.ts";
import type { Vocabulary } from "./vocabulary.ts";

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

/** What is longest known as one thing comes first: a date before its year, a price before its number. */
const FINDERS = [
  findAddresses,
  findDates,
  findFigures,
  findTimes,
  findPrices,
  findMeasures,
  findOrdinals,
  findMixed,
  findNumbers,
];

/**
 * @example
 * findEnglishSpans("Tom paid $20 at 7:30.").map((span) => span.kind); // ["man", "price", "time"]
 */
export function findEnglishSpans(text: string, vocabulary?: Vocabulary): Span[] {
  const claims = new Claims(text.length);
  for (const find of FINDERS) claims.claim(find(text));
  claims.claim(findNames(text, vocabulary, (at) => claims.taken(at)));
  return claims.sorted();
}
