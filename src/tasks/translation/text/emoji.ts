/**
 * Emoji say the same in every language and nothing to a model: they are kept aside and put back, those before the first word
 * at their place, the others at the end of the sentence.
 *
 *     "I love it 😍😍!" → text "I love it!", after " 😍😍"
 */

const MODIFIED = "[\\p{M}\\p{Emoji_Modifier}\\u{e0020}-\\u{e007f}]*";
const PICTURE = `(?:\\p{Emoji_Presentation}|\\p{Extended_Pictographic}\\ufe0f)${MODIFIED}`;
/** Pictures, families of them, flags, keycaps. */
const EMOJI = `(?:\\p{Regional_Indicator}{2}|[0-9#*]\\ufe0f?\\u20e3|${PICTURE}(?:\\u200d(?:${PICTURE}|\\p{Extended_Pictographic}))*)`;
/** Faces of punctuation, which stand alone: :-) ;) :D <3 */
const FACE = "(?<=^|\\s)(?:[:;=]['’]?-?[()DPp3/|\\\\]+|<3+|\\^_?\\^|xD+)(?=\\s|$)";

const RUN = new RegExp(`(?:(?<!\\s)\\s+)?(?:${EMOJI}|${FACE})(?:\\s*(?:${EMOJI}|${FACE}))*\\s*`, "gu");
const LEADING = /^(?:[\s"'([]|\p{Pd})*$/u;

export interface SetAside {
  /** The sentence without emoji. */
  readonly text: string;
  readonly before: string;
  readonly after: string;
}

/**
 * @example
 * setEmojiAside("\u{1f44b} Hello!"); // { text: "Hello!", before: "\u{1f44b} ", after: "" }
 */
export function setEmojiAside(sentence: string): SetAside {
  let text = "";
  let from = 0;
  let before = "";
  const after: string[] = [];
  for (const match of sentence.matchAll(RUN)) {
    const run = match[0];
    const kept = sentence.slice(from, match.index);
    text += kept;
    from = match.index + run.length;
    if (LEADING.test(text) && text.length < 4) {
      before += run.trimStart();
      continue;
    }
    after.push(run.trim());
    // A mark after a picture closes the sentence without a space.
    if (/\s/.test(run) && /^[^\s.,;:!?)\]"']/.test(sentence.slice(from, from + 1))) text += " ";
  }
  text += sentence.slice(from);
  return { text, before, after: after.map((run) => ` ${run}`).join("") };
}
