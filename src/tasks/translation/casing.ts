/** Shouted sentences are rare in the training text, so they are translated in sentence case and shouted again. */

const LETTERS = /\p{L}/gu;

/** True when a text has more than three letters and all that have case are capitals. */
export function isShouted(text: string): boolean {
  const letters = text.match(LETTERS) ?? [];
  return letters.length > 3 && text === text.toUpperCase() && text !== text.toLowerCase();
}

/** "WHERE AM I?" → "Where am I?" */
export function sentenceCase(text: string): string {
  const lower = text.toLowerCase().replace(/\bi\b/gu, "I");
  return lower.replace(/\p{L}/u, (first) => first.toUpperCase());
}
