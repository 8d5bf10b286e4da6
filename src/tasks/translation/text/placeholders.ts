/**
 * Placeholders stand in a sentence for what must come through a translation unchanged: one private-use character for
 * each kind and slot, so that each is one character of a byte-pair alphabet and one piece of the vocabulary.
 *
 *     "Tom paid $20." → "⟨man1⟩ paid ⟨price1⟩."      (⟨man1⟩ is U+E038 here, ⟨price1⟩ U+E020)
 *
 * A kind says how the words around it behave: an English plural shows in the noun ("3 apples"), the gender of a person
 * in French participles ("fatigué", "fatiguée"), a place in its prepositions. A slot tells the values of one kind in one
 * sentence apart, from 0; the same value twice has the same placeholder twice.
 *
 * What a user types can hold no placeholder: `protect` takes private-use characters for a `code`, as any other text that
 * nobody can translate. "⟨man1⟩" typed as text is text.
 */
export const KINDS = [
  "number",
  "year",
  "ordinal",
  "measure",
  "price",
  "time",
  "date",
  "man",
  "woman",
  "place",
  "name",
  "code",
] as const;

export type Kind = (typeof KINDS)[number];

/** Values of one kind that one sentence can hold; a sentence with more is cut (`Protected.overflow`). */
export const SLOTS = 6;

const FIRST = 0xe000;

/** Room for each kind in the private-use block, so that one more slot moves no other placeholder. */
const STRIDE = 8;

/** Private-use characters, in runs. */
export const PRIVATE_USE = /[\p{Co}]+/gu;

export function placeholder(kind: Kind, slot: number): string {
  return String.fromCharCode(FIRST + STRIDE * KINDS.indexOf(kind) + slot);
}

/** Every placeholder there is, in order: what a vocabulary must hold. */
export const PLACEHOLDERS: readonly string[] = KINDS.flatMap((kind) =>
  Array.from({ length: SLOTS }, (_, slot) => placeholder(kind, slot)),
);

/** One placeholder. */
export const PLACEHOLDER = new RegExp(`[${PLACEHOLDERS.join("")}]`, "g");

const BY_CHARACTER = new Map(
  KINDS.flatMap((kind) =>
    Array.from({ length: SLOTS }, (_, slot) => [placeholder(kind, slot), { kind, slot }] as const),
  ),
);

/** What a character stands for; undefined for one that is no placeholder. */
export function readPlaceholder(character: string): { kind: Kind; slot: number } | undefined {
  return BY_CHARACTER.get(character);
}

/**
 * A sentence with its placeholders as people can read them.
 *
 * @example
 * describePlaceholders(`${placeholder("man", 0)} paid.`); // "⟨man1⟩ paid."
 */
export function describePlaceholders(text: string): string {
  return text.replace(PLACEHOLDER, (character) => {
    const { kind, slot } = BY_CHARACTER.get(character)!;
    return `⟨${kind}${slot + 1}⟩`;
  });
}
