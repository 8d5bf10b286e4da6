/**
 * Takes what must not change out of a sentence before a model reads it, and puts it back into the translation, written as
 * the target language writes it.
 *
 *     const given = protect("Tom paid $20 at 7:30 p.m.", { vocabulary });
 *     given.text;                            // "⟨man1⟩ paid ⟨price1⟩ at ⟨time1⟩." in placeholder characters
 *     const output = model(given.text);      // "⟨man1⟩ a payé ⟨price1⟩ à ⟨time1⟩."
 *     restore(output, given.spans, "fr");    // text "Tom a payé 20 $ à 19 h 30.", links, missing [], invented []
 *
 * A beam chooses among hypotheses with `placeholderFaults`: one that drops or invents a placeholder is worse than any that
 * does not. A sentence with more values of a kind than there are slots says so (`overflow`): cut it (`splitLine`) and
 * protect the parts. Linear in the length of the text.
 */
import { afterName, shortForm } from "./contact.ts";
import { findEnglishSpans } from "./english-spans.ts";
import type { TargetLanguage } from "./language.ts";
import { type Kind, PLACEHOLDER, PRIVATE_USE, placeholder, SLOTS } from "./placeholders.ts";
import { renderValue } from "./render.ts";
import { type Span, valueKey } from "./values.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface ProtectOptions {
  /** Words that the model has seen; a capitalised word that is none of them is a name. */
  readonly vocabulary?: Vocabulary;
}

/** A span with the placeholder that stands for it. */
export interface ProtectedSpan extends Span {
  readonly placeholder: string;
  /** Where the placeholder stands in `Protected.text`. */
  readonly at: number;
}

export interface Protected {
  /** The sentence with placeholders. */
  readonly text: string;
  readonly spans: readonly ProtectedSpan[];
  /** Spans that found no slot and stand in `text` as they were written, private-use characters as U+FFFD. */
  readonly overflow: number;
}

/** Writes placeholders over spans; `slotOf` gives the slot of a value of a kind, undefined where there is none. */
export function substitute(
  text: string,
  spans: readonly Span[],
  slotOf: (span: Span) => number | undefined,
): Protected {
  const placed: ProtectedSpan[] = [];
  let out = "";
  let from = 0;
  let overflow = 0;
  for (const span of spans) {
    const slot = slotOf(span);
    out += text.slice(from, span.start);
    if (slot === undefined) {
      overflow++;
      // A typed private-use character must not be taken for a placeholder.
      out += text.slice(span.start, span.end).replace(PRIVATE_USE, "\ufffd");
      from = span.end;
      continue;
    }
    const character = placeholder(span.kind, slot);
    placed.push({ ...span, placeholder: character, at: out.length });
    out += character;
    from = span.end;
  }
  return { text: out + text.slice(from), spans: placed, overflow };
}

/** Slots in the order that values come in; the same value has the same slot. */
export function firstComeSlots(): (span: Span) => number | undefined {
  const slots = new Map<string, number>();
  const used = new Map<Kind, number>();
  return (span) => {
    const key = `${span.kind} ${valueKey(span.value)}`;
    const known = slots.get(key);
    if (known !== undefined) return known;
    const slot = used.get(span.kind) ?? 0;
    if (slot >= SLOTS) return undefined;
    used.set(span.kind, slot + 1);
    slots.set(key, slot);
    return slot;
  };
}

/**
 * @example
 * protect("Tom paid $20.").spans.map(({ kind, start }) => [kind, start]); // [["man", 0], ["price", 9]]
 */
export function protect(text: string, options: ProtectOptions = {}): Protected {
  return substitute(text, findEnglishSpans(text, options.vocabulary), firstComeSlots());
}

/** Where a value of the source stands in the translation. Offsets are those of strings. */
export interface Link {
  readonly kind: Kind;
  /** In the sentence that `protect` was given. */
  readonly source: readonly [start: number, end: number];
  /** In the restored text. */
  readonly target: readonly [start: number, end: number];
}

export interface Restored {
  readonly text: string;
  readonly links: readonly Link[];
  /** Spans of the source that the translation does not have. */
  readonly missing: readonly ProtectedSpan[];
  /** How many placeholders the translation had that the source has not; they are left out of the text. */
  readonly invented: number;
}

/** How many placeholders a translation lacks, repeats beyond the source, or invents: 0 for a faithful one. */
export function placeholderFaults(source: string, target: string): number {
  const counts = new Map<string, number>();
  for (const [character] of source.matchAll(PLACEHOLDER))
    counts.set(character, (counts.get(character) ?? 0) + 1);
  for (const [character] of target.matchAll(PLACEHOLDER))
    counts.set(character, (counts.get(character) ?? 0) - 1);
  return [...counts.values()].reduce((sum, n) => sum + Math.abs(n), 0);
}

/** No word before a value that changes with it is longer. */
const LONGEST_CONTACT = 16;

/** A text under way whose last words may still change; linear however many pieces it has. */
class Written {
  readonly #pieces: string[] = [];
  tail = "";
  length = 0;

  add(text: string): void {
    const joined = this.tail + text;
    const kept = Math.max(0, joined.length - LONGEST_CONTACT);
    this.#pieces.push(joined.slice(0, kept));
    this.tail = joined.slice(kept);
    this.length += text.length;
  }

  changeTail(tail: string): void {
    this.length += tail.length - this.tail.length;
    this.tail = tail;
  }

  toString(): string {
    return this.#pieces.join("") + this.tail;
  }
}

/**
 * Puts the values back, each written as `language` writes it.
 *
 * @param spans those that `protect` returned with the sentence
 */
export function restore(
  translation: string,
  spans: readonly ProtectedSpan[],
  language: TargetLanguage,
): Restored {
  const waiting = new Map<string, ProtectedSpan[]>();
  for (const span of spans) {
    const same = waiting.get(span.placeholder);
    if (same) same.push(span);
    else waiting.set(span.placeholder, [span]);
  }
  const used = new Map<string, number>();
  const links: Link[] = [];
  const written = new Written();
  let invented = 0;
  let from = 0;
  let name = "";
  for (const match of translation.matchAll(PLACEHOLDER)) {
    const between = afterName(name, translation.slice(from, match.index), language);
    from = match.index + 1;
    const same = waiting.get(match[0]);
    if (same === undefined) {
      invented++;
      // Its space goes with it.
      written.add(between.endsWith(" ") ? between.slice(0, -1) : between);
      name = "";
      continue;
    }
    const times = used.get(match[0]) ?? 0;
    used.set(match[0], times + 1);
    const { kind, start, end, value } = same[Math.min(times, same.length - 1)]!;
    written.add(between);
    const { before, text } = shortForm(written.tail, renderValue(value, language), value, language);
    written.changeTail(before);
    links.push({ kind, source: [start, end], target: [written.length, written.length + text.length] });
    written.add(text);
    name = value.type === "text" ? text : "";
  }
  written.add(afterName(name, translation.slice(from), language));
  const missing = spans.filter((span) => !used.has(span.placeholder));
  return { text: written.toString(), links, missing, invented };
}
