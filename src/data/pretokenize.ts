/**
 * Cuts text into the units that byte-pair encoding works inside of: a piece never reaches across two of them. The
 * cut is reversible (`preTokenize(text).join("") === text`) and a unit keeps the one space before it.
 *
 *     "I don't know 20 of l'Europe's 'cafés'..."
 *     → "I", " do", "n't", " know", " 2", "0", " of", " l'", "Europe", "'s", " '", "cafés", "'", "..."
 *
 * - letters with their combining marks are one unit; English contractions are cut before (`n't`, `'s`, `'re`, as the
 *   Penn Treebank does), French elisions after the apostrophe (`l'`, `qu'`, `aujourd'`);
 * - every digit stands alone, so that numbers are spelled and not memorised;
 * - a run of one punctuation mark is a unit; an emoji sequence is a unit.
 */

/** Longer runs of letters are cut here, so that the quadratic encoder never meets a word of a million letters. */
const LONGEST_WORD = 100;

const LETTER = "[\\p{L}\\p{M}]";
const CONTRACTION = `'(?:s|t|re|ve|m|ll|d)(?!${LETTER})`;
const NEGATION = `n't(?!${LETTER})`;
const EMOJI = "\\p{Extended_Pictographic}";

const UNIT = new RegExp(
  [
    `(?<=${LETTER})${NEGATION}`,
    `(?<=${LETTER})${CONTRACTION}`,
    ` ?${LETTER}{1,${LONGEST_WORD}}?(?=${NEGATION})`,
    ` ?${LETTER}{1,${LONGEST_WORD}}(?:(?!${CONTRACTION})'(?=${LETTER}))?`,
    " ?\\p{N}",
    ` ?${EMOJI}(?:[\\p{M}\\p{Emoji_Modifier}]|\\u200d${EMOJI})*`,
    ` ?([^ \\p{L}\\p{M}\\p{N}])\\1*${LETTER.replace("\\p{L}", "")}*`,
    " ",
  ].join("|"),
  "giu",
);

/**
 * @example
 * preTokenize("J'ai 12 ans !"); // ["J'", "ai", " 1", "2", " ans", " !"]
 */
export function preTokenize(text: string): string[] {
  return text.match(UNIT) ?? [];
}
