/**
 * Tokens are hostile text: a corpus may hold terminal escapes, invisible characters, direction overrides, or a
 * megabyte in one word. Everything heed draws passes through `visible` first.
 */

/** Longer tokens are cut before anything else looks at them; no label shows as much. */
const LONGEST_TOKEN = 1000;

/** More marks than this stacked on one letter are dropped: they would be drawn over the neighbouring rows. */
const MOST_MARKS = 4;

/** Emoji that need invisible characters: tag flags, keycaps, presentation selectors, joined families. */
const EMOJI = [
  "\\u{1f3f4}[\\u{e0030}-\\u{e0039}\\u{e0061}-\\u{e007a}]{3,6}\\u{e007f}",
  "[#*0-9]\\ufe0f\\u20e3",
  "\\p{ExtPict}\\ufe0f?\\p{EMod}?(?:\\u200d\\p{ExtPict}\\ufe0f?\\p{EMod}?)*",
].join("|");

/** Controls, formats (bidi, zero width), lone surrogates, separators, ignorables, noncharacters, odd spaces. */
const INVISIBLE = "[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{DI}\\p{NChar}]|(?! )\\p{Zs}";

const EMOJI_OR_INVISIBLE = new RegExp(`(${EMOJI})|${INVISIBLE}`, "gu");
const TOO_MANY_MARKS = new RegExp(`(\\p{M}{${MOST_MARKS}})\\p{M}+`, "gu");

const SYMBOLS: Readonly<Record<string, string>> = {
  "\n": "⏎",
  "\t": "⇥",
  "\u00a0": "⍽",
  "\u202f": "⍽",
};

/** `\u001b`, or `\u{e0041}` beyond four digits. */
function escaped(character: string): string {
  const digits = character.codePointAt(0)!.toString(16).padStart(4, "0");
  return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits}`;
}

/**
 * The same token with nothing hidden: controls, bidi and zero-width characters become escapes such as `\u001b`,
 * line breaks `⏎`, tabs `⇥`, spaces at either end `␣`, the empty token `∅`. Emoji sequences stay whole.
 *
 * @example
 * visible("on\u001b[31m"); // "on\\u001b[31m"
 */
export function visible(token: string): string {
  const cut = token.length > LONGEST_TOKEN ? `${token.slice(0, LONGEST_TOKEN)}…` : token;
  const shown = cut
    .replace(
      EMOJI_OR_INVISIBLE,
      (match, emoji: string | undefined) => emoji ?? SYMBOLS[match] ?? escaped(match),
    )
    .replace(TOO_MANY_MARKS, "$1")
    .replace(/^\p{M}/u, "◌$&")
    .replace(/^ +| +$/g, (spaces) => "␣".repeat(spaces.length));
  return shown === "" ? "∅" : shown;
}

const ASCII: Readonly<Record<string, string>> = {
  "∅": "(empty)",
  "␣": "_",
  "⍽": "_",
  "⏎": "\\n",
  "⇥": "\\t",
  "…": "...",
  "‘": "'",
  "’": "'",
  "“": '"',
  "”": '"',
  "«": "<<",
  "»": ">>",
  "–": "-",
  "—": "-",
  œ: "oe",
  Œ: "OE",
  æ: "ae",
  Æ: "AE",
  ß: "ss",
};

/**
 * `visible` for terminals that cannot show more than ASCII: accents are dropped, other letters become escapes.
 *
 * @example
 * ascii("cœur brisé 猫"); // "coeur brise \\u732b"
 */
export function ascii(token: string): string {
  return visible(token)
    .normalize("NFD")
    .replace(/(?<=[A-Za-z])\p{Mn}+/gu, "")
    .replace(/[^ -~]/gu, (character) => ASCII[character] ?? escaped(character));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text for an XML element or attribute; characters that XML 1.0 forbids become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
