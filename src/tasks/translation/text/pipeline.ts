/**
 * A line on its way to a model and back. The model sees one part at a time, in the corpus' own spelling, with placeholders:
 *
 *     const line = prepareLine("Hi!! 👋  I'm Priya, meet me at 7:30 p.m.", { vocabulary, fits });
 *     const outputs = line.parts.map((part) => model(part.text));   // part.text: "Hi!", "I'm ⟨woman1⟩, meet me at ⟨time1⟩."
 *     const done = line.parts.map((part, i) => finishPart(part, outputs[i], "fr"));
 *     joinLine(line, done);                      // "Salut !! 👋  Je suis Priya, retrouve-moi à 19 h 30."
 *
 * `done[i]` also has the links between values, those missing, and `line.notes` what a reader should know: words taken for a
 * slip, ambiguous dates, words that the model has not seen. `part.copied` is a part that no model needs to see ("😀", "12:30").
 */
import { isAllCapitals, likeSource, sentenceCapitals } from "./casing.ts";
import { setEmojiAside } from "./emoji.ts";
import { closeSentence, likeEnding, likeStart } from "./endings.ts";
import type { TargetLanguage } from "./language.ts";
import { normalizeEnglish } from "./normalize.ts";
import { PLACEHOLDER } from "./placeholders.ts";
import { type Protected, protect, type Restored, restore } from "./protect.ts";
import { joinSentences, splitSentences } from "./sentences.ts";
import { type Correction, correctTypos } from "./unknown.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface PrepareOptions {
  /** The words of the model's training sentences, with counts. */
  readonly vocabulary?: Vocabulary;
  /** Whether the model can read a text at once; a longer sentence is cut (`splitLine` of the translator). */
  readonly cut?: (sentence: string, fits: (part: string) => boolean) => string[];
  readonly fits?: (text: string) => boolean;
}

export type Note =
  | { readonly type: "typo"; readonly from: string; readonly to: string }
  | { readonly type: "unknown word"; readonly text: string }
  | { readonly type: "ambiguous date"; readonly text: string };

export interface PreparedPart {
  /** What the model reads. */
  readonly text: string;
  readonly protected: Protected;
  /** The part as the reader typed it, in the corpus' spelling; the links of `finishPart` point into it. */
  readonly typed: string;
  /** Nothing is left to translate: the translation is `restore` of the text itself. */
  readonly copied: boolean;
  /** The marks that were typed at its end; undefined where the part ends inside a sentence. */
  readonly ending: string | undefined;
  readonly capitals: boolean;
  /** Emoji around it. */
  readonly before: string;
  readonly after: string;
}

export interface PreparedLine {
  readonly parts: readonly PreparedPart[];
  /** One more than parts. */
  readonly separators: readonly string[];
  readonly notes: readonly Note[];
}

/** Whether a text with placeholders has a word that a model could translate. */
function hasWords(text: string): boolean {
  return /\p{L}/u.test(text.replace(PLACEHOLDER, ""));
}

/** What a part has around it. */
type Surroundings = Pick<PreparedPart, "before" | "after" | "ending" | "capitals">;

function preparePart(typed: string, surroundings: Surroundings, options: PrepareOptions): PreparedPart {
  const text = surroundings.ending === undefined ? typed : closeSentence(typed).text;
  const given = protect(text, options);
  const copied = !hasWords(given.text);
  // Nothing is closed that nobody translates.
  const kept = copied ? protect(typed, options) : given;
  return { ...surroundings, text: kept.text, protected: kept, typed, copied };
}

export function prepareLine(line: string, options: PrepareOptions = {}): PreparedLine {
  const { vocabulary, cut, fits = () => true } = options;
  const { sentences, separators } = splitSentences(line);
  const parts: PreparedPart[] = [];
  const between: string[] = [separators[0]!];
  const notes: Note[] = [];
  for (const [i, sentence] of sentences.entries()) {
    const { text, before, after } = setEmojiAside(sentence);
    const spelled = sentenceCapitals(normalizeEnglish(text), vocabulary);
    const mended = vocabulary
      ? correctTypos(spelled, vocabulary)
      : { text: spelled, corrections: [] as Correction[] };
    for (const { from, to } of mended.corrections) notes.push({ type: "typo", from, to });
    const short = (part: string) => {
      const given = protect(part, options);
      return given.overflow === 0 && fits(given.text);
    };
    const ending = closeSentence(text.trim()).typed;
    const capitals = isAllCapitals(text);
    const pieces = cut ? cut(mended.text, short) : [mended.text];
    for (const [k, piece] of pieces.entries()) {
      const first = k === 0;
      const last = k === pieces.length - 1;
      const around = { before: first ? before : "", after: last ? after : "", capitals };
      const part = preparePart(piece, { ...around, ending: last ? ending : undefined }, options);
      for (const { flag, value } of part.protected.spans)
        if (flag && value.type === "text") notes.push({ type: flag, text: value.text });
      parts.push(part);
      between.push(last ? separators[i + 1]! : " ");
    }
  }
  return { parts, separators: between, notes };
}

/** A date's weekday or article gets a capital at the start of a sentence. */
function startDate({ text, links }: Restored): string {
  const [first] = links;
  return first?.kind === "date" && first.target[0] === 0
    ? text.replace(/^\p{Ll}/u, (c) => c.toUpperCase())
    : text;
}

/** What the model wrote of a part, as a reader gets it; `links` point into `text`. */
export function finishPart(part: PreparedPart, output: string, language: TargetLanguage): Restored {
  const { spans } = part.protected;
  const written = part.copied ? part.text : likeStart(part.typed, likeEnding(output, part.ending, language));
  const given = restore(written, spans, language);
  const started = part.copied ? given.text : startDate(given);
  const text = part.capitals ? likeSource(part.typed.toUpperCase(), started, language) : started;
  // Capitals may change a text's length ("ß"): links are kept where it did not.
  const moved = text.length === given.text.length;
  const shift = part.before.length;
  const links = moved
    ? given.links.map((link) => ({
        ...link,
        target: [link.target[0] + shift, link.target[1] + shift] as const,
      }))
    : [];
  return { ...given, text: part.before + text + part.after, links };
}

/** The translated line: its parts with the spaces that the reader typed between them. */
export function joinLine(line: PreparedLine, parts: readonly Restored[]): string {
  return joinSentences(
    parts.map(({ text }) => text),
    line.separators,
  );
}
