/**
 * What a value does to the words beside it. A model sees placeholders, not what they begin with, so training pairs hold the
 * full words and the output gets the short ones:
 *
 * - French "de", "que", "jusque", "lorsque", "puisque" lose their e before a vowel: "d'Anna", "qu'Alice";
 * - Spanish "y" and "o" before their own sound: "e Isabel", "u Óscar"; "a las 1:30" is "a la 1:30"; "de el" is "del" and
 *   "siglo 19.º" is "siglo XIX";
 * - German names take an s in the genitive, or an apostrophe after a hissing sound: "Toms", "Hans'".
 */
import type { TargetLanguage } from "./language.ts";
import type { Value } from "./values.ts";

const VOWEL = /^[aeiouyhàâäéèêëîïôöùûüœæ]/iu;
/** A number is read aloud: "de 8", "de 11" and "le 8" do not elide. */
const ELIDED = /(?<![\p{L}\p{N}'])(d|qu|jusqu|lorsqu|puisqu|quoiqu)'$/iu;
const FULL = /(?<![\p{L}\p{N}'])(de|que|jusque|lorsque|puisque|quoique) $/iu;

export const ROMAN_CENTURIES =
  "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX XXI XXII".split(" ");

/**
 * The text before a value as training and the model have it, whatever the value begins with.
 *
 * @example
 * fullForm("le chat d'", "fr"); // "le chat de "
 */
export function fullForm(before: string, language: TargetLanguage): string {
  if (language === "fr") return before.replace(ELIDED, "$1e ");
  if (language === "es") return before.replace(/(?<=^|\s)e $/, "y ").replace(/(?<=^|\s)u $/, "o ");
  return before;
}

/** The text before a value, and the value, as a reader wants them. */
export function shortForm(
  before: string,
  text: string,
  value: Value,
  language: TargetLanguage,
): { before: string; text: string } {
  if (language === "fr") {
    const open = value.type === "text" && VOWEL.test(text);
    if (open) return { before: before.replace(FULL, (words) => `${words.slice(0, -2)}'`), text };
    return { before: before.replace(ELIDED, "$1e "), text };
  }
  if (language === "de") return { before, text };
  if (value.type === "time" && /^1:/.test(text))
    return { before: before.replace(/(?<=^|\s)([Ll])as $/, "$1a "), text };
  if (value.type === "time") return { before: before.replace(/(?<=^|\s)([Ll])a $/, "$1as "), text };
  if (value.type === "ordinal" && /siglo $/i.test(before))
    return { before, text: ROMAN_CENTURIES[value.number - 1] ?? text };
  if (value.type !== "text") return { before, text };
  if (/^h?i(?![aeou])/iu.test(text)) return { before: before.replace(/(?<=^|\s)y $/, "e "), text };
  if (/^h?[oó]/iu.test(text)) return { before: before.replace(/(?<=^|\s)o $/, "u "), text };
  return { before, text };
}

/** A German genitive s after a name: "Hans" takes an apostrophe. */
export function afterName(name: string, after: string, language: TargetLanguage): string {
  if (language !== "de" || !/[sßxzç]$/iu.test(name)) return after;
  return after.replace(/^s(?![\p{L}\p{N}])/u, "'");
}
