/**
 * The normalisation of heed's data sets and of every text that a model trained on them reads:
 *
 * 1. Unicode NFC;
 * 2. the quotation marks “ ” „ become `"`, and ‘ ’ ʼ ´ become `'`;
 * 3. zero-width characters and soft hyphens vanish (see `ZERO_WIDTH` for the one exception);
 * 4. every run of white space (line ends, tabs, no-break spaces) and control characters becomes one space;
 * 5. the ends are trimmed.
 *
 * Case, accents, guillemets and dashes stay. `normalizeText` is idempotent.
 */

const DOUBLE_QUOTES = /[\u201c\u201d\u201e]/g;
const SINGLE_QUOTES = /[\u2018\u2019\u02bc\u00b4]/g;

/**
 * Zero-width space, non-joiner, joiner, word joiner, byte order mark and soft hyphen. A joiner between two
 * pictographs stays: it is what makes one family out of three faces.
 */
const ZERO_WIDTH =
  /[\u200b\u200c\u2060\ufeff\u00ad]|(?<!\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu;

/** `\s` is Unicode's white space; the control characters (C0, DEL, C1) separate words too where they are not it. */
const SPACE = /[\s\p{Cc}]+/gu;

/** A surrogate without its partner stands for no character and no encoder can write it; it becomes U+FFFD. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/**
 * `text` in the form the data sets have.
 *
 * @example
 * normalizeText("L\u2019\u00a0e\u0301cole\r\n"); // "L' école"
 */
export function normalizeText(text: string): string {
  return wellFormed(text)
    .replace(ZERO_WIDTH, "")
    .normalize("NFC")
    .replace(DOUBLE_QUOTES, '"')
    .replace(SINGLE_QUOTES, "'")
    .replace(SPACE, " ")
    .trim();
}
