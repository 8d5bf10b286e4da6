/**
 * The marks that end a sentence. The corpora end nearly every sentence with one of `.`, `?` and `!`, so a model is given one of
 * these, and the translation gets what the reader typed:
 *
 * - "Where is the station" is read with a question mark, "I am tired" with a full stop that is taken off again;
 * - "Really?!?" is read as "Really?" and "Stop!!!" as "Stop!"; the translation ends as they did;
 * - French has a space before ? ! : and ; (98 % of the ? and 99 % of the ! in the corpus), Spanish ¿ and ¡ before the sentence.
 */
import type { TargetLanguage } from "./language.ts";

const MARKS = /([.!?…]+)(["')\]\s]*)$/u;
/** What begins a question that nobody ended. */
const QUESTION =
  /^(?:what|where|when|why|who|whose|which|how|is|are|am|was|were|do|does|did|can|could|will|would|shall|should|may|might|have|has|had|isn't|aren't|don't|doesn't|didn't|can't|couldn't|won't|wouldn't) (?:\p{L}|\p{Co})/iu;
/** "What a day", "How nice", "Have a nice day", "Do it now" are no questions. */
const NO_QUESTION =
  /^(?:what an?|have (?:an?|some|fun)|how (?:nice|lovely|beautiful|sad|funny|cute|strange|kind)|do (?:it|not|your|that|this|the)|may (?:all|god|the)) /iu;

export interface Closed {
  /** The sentence with one mark at its end. */
  readonly text: string;
  /** What the reader typed there; "" for nothing. */
  readonly typed: string;
}

/**
 * @example
 * closeSentence("Stop!!!"); // { text: "Stop!", typed: "!!!" }
 */
export function closeSentence(text: string): Closed {
  const match = MARKS.exec(text.slice(-200));
  if (match === null) {
    if (!/[\p{L}\p{N}\p{Co})"'%]$/u.test(text)) return { text, typed: "" };
    const question = QUESTION.test(text) && !NO_QUESTION.test(text);
    return { text: `${text}${question ? "?" : "."}`, typed: "" };
  }
  const [whole, marks, rest] = match as unknown as [string, string, string];
  const one = marks.includes("?") ? "?" : marks.includes("!") ? "!" : ".";
  return { text: text.slice(0, text.length - whole.length) + one + rest, typed: marks };
}

/** The most marks that are repeated in a translation. */
const MOST_MARKS = 3;

/**
 * A translation with the ending that its source had, and the spaces and marks of its language. Run it on what the model wrote,
 * before `restore`: an address holds marks that are none.
 *
 * @param typed what `closeSentence` returned; undefined leaves the end as it is
 */
export function likeEnding(translation: string, typed: string | undefined, language: TargetLanguage): string {
  let text = translation.trimEnd();
  if (typed === "") text = text.replace(/(?<![.…])\.$/u, "");
  else if (typed !== undefined) {
    const match = /\s*([.!?…]*)(["'»)\]\s]*)$/u.exec(text.slice(-200))!;
    const stem = text.slice(0, text.length - match[0].length);
    const [, marks, rest] = match as unknown as [string, string, string];
    const several = typed.length > 1;
    const run = several ? typed.slice(0, MOST_MARKS) : marks || typed;
    const space = language === "fr" && /^[!?]/.test(run) ? " " : "";
    // What stands outside its quotes in one language may stand inside in the other: only a bare end is changed.
    if (rest.trim() === "" && stem !== "") text = `${stem}${space}${run}`;
  }
  if (language === "fr")
    return text.replace(/(?<=[\p{L}\p{N}\p{Co}"'%)])([?!;:])(?=\s|$|["')»]|[?!])/gu, " $1");
  if (language === "es") return openSpanish(text);
  return text;
}

/** Spanish opens what it closes: the last sentence of a text gets its mark where it has none. */
function openSpanish(text: string): string {
  const [close] = /[?!]+["'»)\]]*$/u.exec(text.slice(-20)) ?? [];
  if (close === undefined) return text;
  const mark = close.includes("?") ? "?" : "!";
  const open = mark === "?" ? "¿" : "¡";
  if (text.includes("¿") || text.includes("¡")) {
    const count =
      mark === "!" && !close.includes("?") ? Math.min(MOST_MARKS, close.replace(/[^!]/g, "").length) : 1;
    return count > 1 ? text.replace(/¡+(?=[^¡]*$)/u, "¡".repeat(count)) : text;
  }
  const quote = close.endsWith('"') ? text.lastIndexOf('"', text.length - close.length - 1) + 1 : 0;
  const from = Math.max(
    quote,
    ...Array.from(text.slice(0, -close.length).matchAll(/[.!?:] (?=\p{Lu})/gu), (m) => m.index + 2),
  );
  const quoted = /^["'«(]*/u.exec(text.slice(from))![0].length;
  return text.slice(0, from + quoted) + open + text.slice(from + quoted);
}

/**
 * A first letter as the source has it: a capital where the source begins with one. Run it before `restore`: a value has its own.
 */
export function likeStart(source: string, translation: string): string {
  if (!/^[^\p{L}\p{N}]*\p{Lu}/u.test(source)) return translation;
  return translation.replace(/^([^\p{L}\p{N}\p{Co}]*)(\p{Ll})/u, (_, before: string, first: string) => {
    return before + first.toUpperCase();
  });
}
